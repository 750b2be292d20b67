"""When a copy of the net is tried, and what is kept of the losses of that step."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes import interventions
from danlu.watch.probes.interventions import InterventionProbe
from danlu.watch.probes.tried import TriedCall
from danlu.watch.trying import ModuleCall
from tried_nets import DRAWN, drawn_anew


@pytest.fixture(autouse=True)
def the_same_each_time() -> None:
    drawn_anew()


def test_a_loss_below_its_floor_is_noted_once() -> None:
    measured = Measured()
    probe = InterventionProbe(measured, {})
    net = nn.Linear(4, 3)
    for step, value in ((1, 0.5), (2, -3.0)):
        probe.called(net, (torch.zeros(5, 4),), {}, step)
        for name in ("mse_loss", "kl_div"):
            call = LossCall(name, "numbers", torch.zeros(5, 3), torch.full((5, 3), 2.0), False, False)
            probe.lost(call, torch.tensor(value))
        probe.end_step(step)
    assert measured.low_loss is not None
    low = measured.low_loss
    assert (low.step, low.loss, low.value, low.low, low.high) == (2, "kl_div", -3.0, 2.0, 2.0)


def test_a_part_that_the_loop_calls_goes_by_its_path_and_a_refusal_is_kept() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    net[1].register_forward_hook(print)
    measured = Measured()
    probe = InterventionProbe(measured, {"first": nn.Linear(1, 1), "second": net})
    for step in (1, 2):
        for layer in net:
            x = torch.randn(5, 4, generator=DRAWN)
            probe.called(layer, (x,), {}, step)
            probe.answered(F.linear(x, torch.ones(3, 4)))
        probe.end_step(step)
    assert {name: one.refused for name, one in measured.interventions.items()} == {"second.0": "", "second.1": "hooks"}


class Pictures(nn.Module):
    """Answers to pictures: each by itself, or with the mean of all; written for any batch, or for one size."""

    def __init__(self, *, mixes: bool = False, batch: int = -1) -> None:
        super().__init__()
        self.layer, self.mixes, self.batch = nn.Linear(3 * 4 * 4, 5), mixes, batch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answers = self.layer(x.reshape(self.batch, 3 * 4 * 4))
        return answers + answers.mean(0) if self.mixes else answers


@pytest.mark.parametrize(("mixes", "batch", "used"), [(False, -1, 11), (True, -1, 11), (False, 32, 32)])
def test_of_pictures_a_few_are_tried_and_all_where_the_net_takes_no_fewer(
    mixes: bool, batch: int, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def tried(call: ModuleCall, *more: Any) -> TriedCall:
        made = TriedCall(call, *more)
        sizes.append(len(call.args[0]))
        return made

    monkeypatch.setattr(interventions, "TriedCall", tried)
    measured = Measured()
    net = Pictures(mixes=mixes, batch=batch)
    probe = InterventionProbe(measured, {"": net})
    for step in (1, 2):
        x = torch.randn(32, 3, 4, 4, generator=DRAWN)
        probe.called(net, (x,), {}, step)
        probe.answered(net(x))
        probe.end_step(step)
    trial = measured.interventions[""]
    assert (trial.refused, sizes) == ("", [used])
    assert (trial.others > 0.01) == mixes
