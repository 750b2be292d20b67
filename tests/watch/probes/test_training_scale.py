"""Whether held-out samples were scaled as the training data were."""

import math

import pytest
import torch

from danlu.watch.measured import Measured
from danlu.watch.probes.held_out import HeldOutProbe

UNITS = torch.tensor([5.8, 3.0, 3.7, 1.2]), torch.tensor([0.8, 0.4, 1.8, 0.8])  # of irises, in centimetres


def flowers(samples: int, seed: int) -> torch.Tensor:
    return torch.randn(samples, 4, generator=torch.Generator().manual_seed(seed))


def pictures(samples: int, seed: int) -> torch.Tensor:
    return torch.rand(samples, 1, 6, 6, generator=torch.Generator().manual_seed(seed))


def series(start: int, stop: int) -> torch.Tensor:
    """Windows of 12 of a series that climbs."""
    return torch.stack([torch.arange(at, at + 12).float() for at in range(start, stop)])


def wandering(start: int, stop: int) -> torch.Tensor:
    """Windows of 12 of a series that goes anywhere."""
    row = torch.randn(500, generator=torch.Generator().manual_seed(3)).cumsum(0)
    return row.unfold(0, 12, 1)[start:stop]


def apart(trained: torch.Tensor, evaluated: torch.Tensor, *, overlap: float = 0.0) -> float:
    """The size that is told, NaN where nothing is."""
    measured = Measured()
    probe = HeldOutProbe(measured)
    for batch in trained.split(32):
        probe.trains_on(batch)
    probe.sees(evaluated, 9)
    probe.end(9, overlap)
    found = measured.unfair.get("apart")
    return found.score if found else math.nan


@pytest.mark.parametrize(
    ("trained", "evaluated", "expected"),
    [
        (flowers(120, 1), flowers(40, 2) * UNITS[1] + UNITS[0], 3.7),
        (flowers(120, 1) * UNITS[1] + UNITS[0], flowers(40, 2), 3.7),
        (pictures(80, 1), 255 * pictures(40, 2), 510.0),
        (255 * pictures(80, 1), pictures(40, 2), 1 / 255),
        ((pictures(80, 1) - 0.5) / 0.1, pictures(40, 2), 0.1),
    ],
)
def test_samples_that_were_not_scaled_alike(trained: torch.Tensor, evaluated: torch.Tensor, expected: float) -> None:
    assert apart(trained, evaluated) == pytest.approx(expected, rel=0.2)
    assert math.isnan(apart(trained, evaluated, overlap=1.0))


@pytest.mark.parametrize(
    ("trained", "evaluated"),
    [
        (flowers(120, 1), flowers(40, 2)),
        (flowers(120, 1), 1 + 1.5 * flowers(40, 2)),  # from another place
        (flowers(120, 1), flowers(20, 2) * 10),  # too few
        (flowers(40, 1), flowers(40, 2) * 10),
        (pictures(80, 1) + 0.5 * torch.randn(80, 1, 6, 6), pictures(40, 2)),  # noise while training
        (series(0, 100), series(140, 200)),  # what comes later lies higher, all of it alike
        (wandering(0, 300), 9 + 0.2 * wandering(300, 400)),  # what comes later hardly moves
        ((flowers(120, 1) > 2).float(), (flowers(40, 2) > 2).float()),  # rarely 1
        (flowers(120, 1), flowers(40, 2)[:, :2]),
        (torch.ones(120, 4), flowers(40, 2)),
    ],
)
def test_samples_that_differ_by_nature(trained: torch.Tensor, evaluated: torch.Tensor) -> None:
    assert math.isnan(apart(trained, evaluated))
