"""losses-unbalanced: told of losses that are added up though one is hundreds of times the other."""

from typing import Any

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.losses_unbalanced import RULE
from measurements import check_threshold, series, told, verdict


def added(*, first: float = 1000.0, later: float = 1000.0, measurements: int = 5, small: float = 2.0) -> Measured:
    ratios = series([first, *[later] * (measurements - 1)])
    return Measured(step=60, loss_ratio=ratios, losses_added=(small, 2000.0))


def reduced(*, batch: int) -> Measured:
    return Measured(step=60, mixed_reductions=batch)


THRESHOLDS = [
    ("min_measurements", {"measurements": 3}, {"measurements": 4}),
    ("min_first_ratio", {"first": 299.0}, {"first": 301.0}),
    ("min_loss", {"small": 0.049}, {"small": 0.051}),
    ("min_ratio", {"later": 49.0}, {"later": 51.0}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, added, name, inside, beyond) is None


def test_both_losses_are_told() -> None:
    found = told(RULE, added())
    assert (found.severity, found.numbers) == ("warning", {"small": 2.0, "large": 2000.0, "ratio": 1000.0})


def test_a_single_loss_is_silent() -> None:
    assert verdict(RULE, Measured(step=60)) is None


def test_a_sum_beside_a_mean_is_told() -> None:
    found = told(RULE, reduced(batch=32))
    assert (found.severity, found.variant, found.numbers) == ("warning", "reductions", {"batch": 32})
    assert check_threshold(RULE, reduced, "min_batch", {"batch": 7}, {"batch": 8}) is None
