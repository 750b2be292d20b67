"""A copy of the net that follows it."""

import copy
import math

import pytest
import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.probes.averaged import AveragedProbe


def followed(decay: float, *, every: int = 50, grad: bool = False) -> Measured:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    copied = copy.deepcopy(net)
    measured = Measured()
    probe = AveragedProbe(measured, {"": net})
    drift = [torch.randn_like(one) * 0.01 for one in net.parameters()]
    for step in range(1, 201):
        with torch.no_grad():
            for one, other, way in zip(net.parameters(), copied.parameters(), drift, strict=True):
                one.add_(way)
                other.lerp_(one, 1 - decay)
        with torch.set_grad_enabled(grad):
            if step % every == 0:
                probe.called(copied, step)
    return measured


@pytest.mark.parametrize(("decay", "low", "high"), [(0.9999, 0.95, 1.0), (0.9, 0.0, 0.1)])
def test_the_share_that_it_lags_behind(decay: float, low: float, high: float) -> None:
    averaged = followed(decay).averaged
    assert averaged is not None
    assert low < averaged.kept < high
    assert (averaged.step, averaged.calls) == (200, 4)


def test_one_that_is_called_in_every_step_takes_part_in_the_training() -> None:
    averaged = followed(0.9999, every=1).averaged
    assert averaged is not None
    assert math.isnan(averaged.kept)


def test_a_snapshot_another_net_and_calls_with_gradients_are_none() -> None:
    assert followed(1.0).averaged is None
    assert followed(0.9999, grad=True).averaged is None
    measured = Measured()
    probe = AveragedProbe(measured, {"": nn.Linear(2, 2)})
    with torch.no_grad():
        probe.called(nn.Linear(3, 3), 100)
    assert measured.averaged is None


def normalised(*, buffers: bool, weights: bool = True, training: bool = False, moves: bool = True) -> int:
    """How often the statistics of a copy were seen to stay behind."""
    net = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 4))
    copied, measured = copy.deepcopy(net), Measured()
    probe = AveragedProbe(measured, {"": net})
    copied.train(training)
    for step in range(1, 61):
        with torch.no_grad():
            for one, other in zip(net.parameters(), copied.parameters(), strict=True):
                one.add_(0.01)
                if weights:
                    other.lerp_(one, 0.1)
            if moves:
                net(2 + 3 * torch.randn(16, 8))
            if buffers:
                for one, other in zip(net.buffers(), copied.buffers(), strict=True):
                    other.copy_(one)
            if step % 10 == 0:
                probe.called(copied, step)
    return measured.averaged.stale if measured.averaged is not None else 0


@pytest.mark.parametrize(
    ("given", "stale"),
    [
        ({"buffers": False}, 6),
        ({"buffers": True}, 0),
        ({"buffers": False, "weights": False}, 0),
        ({"buffers": False, "training": True}, 0),
        ({"buffers": False, "moves": False}, 0),
    ],
)
def test_statistics_that_do_not_follow(given: dict[str, bool], stale: int) -> None:
    torch.manual_seed(0)
    assert normalised(**given) == stale


@pytest.mark.parametrize(("decay", "lags"), [(0.9999, True), (0.9, False), (0.0, False)])
def test_weights_that_are_put_into_the_net_for_an_evaluation(decay: float, lags: bool) -> None:
    """With decay 0 the net is evaluated as it is."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    measured, averaged = Measured(), copy.deepcopy(net)
    probe = AveragedProbe(measured, {"": net})
    drift = [torch.randn_like(one) * 0.01 for one in net.parameters()]
    for step in range(1, 201):
        with torch.no_grad():
            for one, slow, way in zip(net.parameters(), averaged.parameters(), drift, strict=True):
                one.add_(way)
                slow.lerp_(one, 1 - decay)
            probe.trained()
            if step % 50 == 0:
                kept = copy.deepcopy(net.state_dict())
                net.load_state_dict(averaged.state_dict())
                probe.evaluated(net, step)
                net.load_state_dict(kept)
    assert (measured.averaged is not None) == lags
    assert measured.averaged is None or (measured.averaged.calls, measured.averaged.kept > 0.9) == (4, True)


@pytest.mark.parametrize(
    ("inside", "training", "counted"),
    [(nn.Dropout(), True, 4), (nn.BatchNorm1d(16), True, 4), (nn.ReLU(), True, 0), (nn.Dropout(), False, 0)],
)
def test_calls_in_training_mode_of_a_copy_that_minds(inside: nn.Module, training: bool, counted: int) -> None:
    net = nn.Sequential(nn.Linear(8, 16), inside, nn.Linear(16, 4))
    copied, measured = copy.deepcopy(net).train(training), Measured()
    probe = AveragedProbe(measured, {"": net})
    for step in range(1, 5):
        with torch.no_grad():
            for one, other in zip(net.parameters(), copied.parameters(), strict=True):
                one.add_(0.01)
                other.lerp_(one, 0.5)
            probe.called(copied, 10 * step)
    assert measured.averaged is not None
    assert measured.averaged.training == counted


@pytest.mark.parametrize(
    ("follows", "every", "moves", "frozen"),
    [(False, 1, True, 99), (True, 1, True, 0), (False, 20, True, 0), (False, 1, False, 0)],
)
def test_a_copy_that_is_asked_all_the_time_and_never_follows(
    follows: bool, every: int, moves: bool, frozen: int
) -> None:
    net = nn.Linear(4, 4)
    copied, measured = copy.deepcopy(net), Measured()
    probe = AveragedProbe(measured, {"": net})
    for step in range(1, 101):
        with torch.no_grad():
            net.weight.add_(0.1 if moves else 0.0)
            if step % every == 0:
                probe.called(copied, step)
            if follows and step % 70 == 0:
                copied.load_state_dict(net.state_dict())
    probe.end(100)
    assert (measured.averaged.frozen if measured.averaged is not None else 0) == frozen


def test_one_that_is_moved_with_the_wrong_sign_goes_away() -> None:
    net = nn.Linear(8, 16)
    copied, measured = copy.deepcopy(net), Measured()
    probe = AveragedProbe(measured, {"": net})
    with torch.no_grad():
        for step in range(1, 121):
            net.weight.add_(0.01)
            copied.weight.add_(0.02 * (copied.weight - net.weight))
            if step % 60 == 0:
                probe.called(copied, step)
    assert measured.averaged is not None
    assert measured.averaged.away > 0.5
