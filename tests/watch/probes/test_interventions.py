"""When a copy of the net is tried, and what is kept of the losses of that step."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.interventions import InterventionProbe
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
