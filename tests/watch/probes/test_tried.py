"""Which tensor of a call is changed, which of its dimensions is the batch, and which calls cannot be tried."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.interventions import InterventionProbe
from tried_nets import DRAWN, Batch, Judge, Reader, drawn_anew, numbers, tokens, tried


@pytest.fixture(autouse=True)
def the_same_each_time() -> None:
    drawn_anew()


def test_a_loader_tells_which_dimension_is_the_batch() -> None:
    def batch() -> Batch:
        return torch.randn(5, 6, 4, generator=DRAWN), torch.zeros(5, 6, dtype=torch.long)

    net = nn.GRU(4, 4)
    assert math.isnan(tried(Judge(lambda x: net(x)[0]), batch).others)
    assert tried(Judge(lambda x: net(x)[0]), batch, loader_batch=6).others == 0
    assert tried(Judge(lambda x: net(x)[0]), batch, loader_batch=5).others > 0.01


def test_targets_of_the_places_of_a_single_sample_are_no_batch() -> None:
    def batch() -> Batch:
        return torch.randn(1, 5, 8, generator=DRAWN), torch.randint(12, (5,), generator=DRAWN)

    rnn = nn.RNN(8, 12)
    assert math.isnan(tried(Judge(lambda x: rnn(x.transpose(0, 1))[0][:, 0]), batch).others)
    assert tried(Judge(lambda x: rnn(x.transpose(0, 1))[0][:, 0]), batch, loader_batch=5).others > 0.01


def test_targets_that_are_a_place_shorter_are_met_by_the_first_or_the_last_answers() -> None:
    net = Reader()
    for part, lag in ((slice(None, -1), 1), (slice(1, None), 0)):
        measured = Measured()
        probe = InterventionProbe(measured, {"": net})
        for step in (1, 2):
            x, _ = tokens()
            probe.called(net, (x,), {}, step)
            output = net(x)
            probe.answered({"logits": output})
            met = output[:, part].reshape(-1, 12)
            probe.lost(LossCall("cross_entropy_loss", "classes", met, x[:, 1:].flatten(), False, False), met.sum())
            probe.end_step(step)
        assert measured.interventions[""].lag == lag


@pytest.mark.parametrize(
    ("net", "batch", "why"),
    [
        (nn.Identity(), lambda: (torch.ones(5), torch.ones(5)), "inputs"),
        (Judge(lambda x: x.sum()), numbers(6, 4), "answers"),
    ],
)
def test_what_cannot_be_compared_is_refused(net: nn.Module, batch: Callable[[], Batch], why: str) -> None:
    assert tried(net, batch).refused == why


class Tagger(Reader):
    """Answers by its tokens alone, or shifts what it is given as labels in among them."""

    def __init__(self, *, shifts: bool) -> None:
        super().__init__()
        self.shifts = shifts

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return super().forward(labels if self.shifts else x)


@pytest.mark.parametrize(("shifts", "moves"), [(False, True), (True, True)])
def test_labels_for_the_loss_alone_are_not_what_is_changed(shifts: bool, moves: bool) -> None:
    net, measured = Tagger(shifts=shifts), Measured()
    probe = InterventionProbe(measured, {"": net})
    for step in (1, 2):
        (x, _), (labels, _) = tokens(), tokens()
        probe.called(net, (x, labels), {}, step)
        output = net(x, labels)
        probe.answered(output)
        met = output.reshape(-1, 12)
        probe.lost(LossCall("cross_entropy_loss", "classes", met, labels.flatten(), False, False), met.sum())
        probe.end_step(step)
    trial = measured.interventions[""]
    assert trial.lag == (0 if shifts else None)
    assert (trial.response.last > 0) == moves
