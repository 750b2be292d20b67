"""What of one step's call goes into the next one's, and two views that are one."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.carried import CarriedProbe

X = torch.arange(64.0).reshape(4, 16)


class Reader(nn.Module):
    def __init__(self, *, keeps: bool = False) -> None:
        super().__init__()
        self.rnn, self.keeps = nn.GRU(1, 8, batch_first=True), keeps
        self.state: torch.Tensor | None = None

    def forward(self, x: torch.Tensor, state: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        given, state = self.rnn(x, self.state if self.keeps else state)
        self.state = state.detach() if self.keeps else None
        return given, state


def stepped(net: Reader, *, carried: bool = True, detached: bool = True, goes_on: bool = False) -> Measured:
    measured, state, ended = Measured(), None, torch.zeros(4)
    probe = CarriedProbe(measured, [net.rnn])
    for step in (1, 2, 3):
        x = torch.randn(4, 6, 1)
        if goes_on and step > 1:
            x[:, 0, 0] = ended
        args = (x, state) if state is not None else (x,)
        probe.called(net, args, {}, step)
        output = net(*args)
        probe.answered(output)
        targets = torch.randn(4, 6)
        ended = targets[:, -1]
        probe.lost(LossCall("mse_loss", "numbers", output[0].mean(2), targets, weighted=False, summed=False))
        probe.end_step(step)
        state = (output[1].detach() if detached else output[1]) if carried else None
    return measured


def test_a_state_that_is_handed_on_to_other_samples() -> None:
    carried = stepped(Reader()).carried
    assert (carried.times, carried.apart, carried.attached) == (2, 2, 0)
    assert stepped(Reader(), detached=False).carried.attached == 2


def test_a_state_that_goes_on_or_begins_anew() -> None:
    assert stepped(Reader(), goes_on=True).carried.apart == 0
    assert stepped(Reader(), carried=False).carried.times == 0


def test_a_state_that_the_net_keeps_itself() -> None:
    assert stepped(Reader(keeps=True), carried=False).carried.apart == 2


@pytest.mark.parametrize(("second", "alike"), [(X, 1), (X + 1, 0)])
def test_two_views_that_are_the_same(second: torch.Tensor, alike: int) -> None:
    net = nn.Linear(16, 8)
    for calls in ((X, second), (torch.cat([X, second]),)):
        measured = Measured()
        probe = CarriedProbe(measured, [])
        for given in calls:
            probe.called(net, (given,), {}, 1)
            probe.answered(net(given))
        probe.end_step(1)
        assert measured.carried.alike == alike


def test_views_of_a_loss_that_compares_no_samples_say_nothing() -> None:
    measured, net = Measured(), nn.Linear(16, 8)
    probe = CarriedProbe(measured, [])
    for _ in range(2):
        probe.called(net, (X,), {}, 1)
        probe.answered(net(X))
    probe.lost(LossCall("cross_entropy_loss", "classes", net(X), torch.zeros(4), weighted=False, summed=False))
    probe.end_step(1)
    assert measured.carried.alike == 0


@pytest.mark.parametrize(("first", "alike"), [(0, 1), (1, 0)])
def test_the_partner_may_come_before_all_others(first: int, alike: int) -> None:
    measured, net, both = Measured(), nn.Linear(16, 8), torch.cat([X, X])
    probe = CarriedProbe(measured, [])
    probe.called(net, (both,), {}, 1)
    probe.answered(net(both))
    likeness, targets = torch.randn(len(both), len(both) - 1), torch.full((len(both),), first)
    probe.lost(LossCall("cross_entropy_loss", "classes", likeness, targets, weighted=False, summed=False))
    probe.end_step(1)
    assert measured.carried.alike == alike


def likeness(*, own: bool, symmetric: bool = True) -> int:
    """Of four steps those whose samples are to find themselves among all."""
    measured = Measured()
    probe = CarriedProbe(measured, [])
    for step in range(1, 5):
        z = F.normalize(torch.randn(12, 8, generator=torch.Generator().manual_seed(step)), dim=1)
        other = z if symmetric else F.normalize(z + 0.3 * z.roll(1, 0), dim=1)
        likely = z @ other.T / 0.2
        targets = torch.arange(12) if own else torch.arange(12).roll(6)
        probe.lost(LossCall("cross_entropy_loss", "classes", likely, targets, weighted=False, summed=False))
        probe.end_step(step)
    return measured.carried.own


def test_samples_that_find_themselves() -> None:
    assert likeness(own=True) == 4
    assert likeness(own=False) == likeness(own=True, symmetric=False) == 0


@pytest.mark.parametrize(("scale", "masked", "counted"), [(1.0, False, 1), (1.0, True, 1), (5.0, False, 0)])
def test_cosines_that_no_temperature_divides(scale: float, masked: bool, counted: int) -> None:
    measured = Measured()
    probe = CarriedProbe(measured, [])
    z = F.normalize(torch.randn(16, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    likeness = scale * z @ z.T
    if masked:
        likeness = likeness.masked_fill(torch.eye(16, dtype=torch.bool), -1e9)
    call = LossCall("cross_entropy_loss", "classes", likeness, torch.arange(16).roll(8), weighted=False, summed=False)
    probe.lost(call)
    probe.lost(call)
    probe.end_step(1)
    assert measured.carried.cosines == counted
    assert not counted or measured.carried.floor == pytest.approx(1.109, abs=0.01)
