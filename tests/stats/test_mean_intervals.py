"""Intervals of many means at once are those of each, and wider where trainings share samples."""

import math
import random

import numpy
import pytest

from danlu.base.metric_names import metric_bounds, within_bounds
from danlu.stats.mean_interval import mean_interval, mean_intervals
from danlu.stats.members import COSTS, RANGES


def table(rows: int, columns: int = 20) -> list[list[float]]:
    """Numbers of which some are missing, and of one column all but one."""
    draw = random.Random(rows)
    numbers = [[draw.gauss(0.9, 0.1) if draw.random() < 0.8 else math.nan for _ in range(columns)] for _ in range(rows)]
    for row in numbers[1:]:
        row[0] = math.inf
    numbers[0][0] = 0.5
    return numbers


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
def test_each_column_has_the_interval_of_its_own_numbers(rows: int) -> None:
    numbers = table(rows)
    means, lows, highs = (part.tolist() for part in mean_intervals(numbers))
    for at, column in enumerate(zip(*numbers, strict=True)):
        one = mean_interval(column)
        told = (math.nan,) * 3 if one is None else (one.mean, one.low or math.nan, one.high or math.nan)
        assert (means[at], lows[at], highs[at]) == pytest.approx(told, nan_ok=True), at


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_trainings_of_folds_share_samples(folds: int) -> None:
    rows = numpy.random.default_rng(0).normal(size=(3 * folds, 4))
    _, low, high = mean_intervals(rows)
    _, wide_low, wide_high = mean_intervals(rows, folds=folds)
    wider = (1 + 3 * folds / (folds - 1)) ** 0.5
    assert wide_high - wide_low == pytest.approx(wider * (high - low))


def test_bounds_are_as_far_apart_as_scores_can_be() -> None:
    for metric, width in RANGES.items():
        least, most = metric_bounds(metric)
        assert most == 1.0, metric
        assert least is None or most - least == width
    for metric in COSTS:
        assert metric_bounds(metric)[1] is None


@pytest.mark.parametrize(
    ("metric", "value", "told"),
    [("accuracy", 1.02, 1.0), ("f1", -0.1, 0.0), ("r2", -3.0, -3.0), ("r2.height", 1.1, 1.0), ("mae", -1.0, 0.0),
     ("perplexity", 0.5, 1.0), ("loss", -4.0, -4.0), ("rouge", 7.0, 7.0), ("accuracy", None, None)],
)  # fmt: skip
def test_an_interval_ends_where_its_metric_does(metric: str, value: float | None, told: float | None) -> None:
    assert within_bounds(metric, value) == told
