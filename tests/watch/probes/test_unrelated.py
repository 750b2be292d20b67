"""Targets as large as the inputs, and how far they go with them."""

import pytest
import torch

from danlu.watch.measured import Measured
from danlu.watch.probes.unrelated import UnrelatedProbe


def seen(share: float, kind: str = "numbers") -> Measured:
    torch.manual_seed(0)
    measured = Measured()
    probe = UnrelatedProbe(measured)
    for step in range(1, 6):
        x = torch.randn(64, 32)
        probe.called([x])
        probe.met(kind, share * x + (1 - share**2) ** 0.5 * torch.randn(64, 32), step)
        probe.end_step()
    return measured


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_correlation_is_that_of_all_steps(share: float) -> None:
    found = seen(share).unrelated
    assert found.correlation == pytest.approx(share, abs=0.03)
    assert (found.step, found.numbers) == (5, 5 * 64 * 32)
    assert found.mean == pytest.approx(0, abs=0.03)
    assert found.std == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 0.8])
@pytest.mark.parametrize("first", [True, False])
def test_a_time_may_stand_beside_what_was_made_noisy(share: float, first: bool) -> None:
    torch.manual_seed(0)
    measured = Measured()
    probe = UnrelatedProbe(measured)
    for step in range(1, 6):
        noise, time = torch.randn(512, 2), torch.rand(512, 1)
        x = share * noise + (1 - share**2) ** 0.5 * torch.randn(512, 2)
        probe.called([torch.cat([x, time] if first else [time, x], dim=1)])
        probe.met("numbers", noise, step)
        probe.end_step()
    assert abs(measured.unrelated.correlation) == pytest.approx(share, abs=0.05)


def test_classes_and_targets_of_another_shape_are_not_compared() -> None:
    assert seen(0.0, "classes").unrelated.numbers == 0
    measured = Measured()
    probe = UnrelatedProbe(measured)
    probe.called([torch.randn(8, 4)])
    probe.met("numbers", torch.randn(8), 1)
    assert measured.unrelated.numbers == 0
