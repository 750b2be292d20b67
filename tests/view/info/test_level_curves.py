"""The curves of a study's levels, from rows of numbers."""

import statistics
from typing import Any

import pytest

from danlu.store.study_history import StackCurves
from danlu.view.info.level_curves import factor_curves

FACTORS: dict[str, list[Any]] = {"lr": [0.1, 0.2], "net": ["a", "b"]}


def stack(
    combinations: list[dict[str, Any]], members: list[tuple[int, int, int]], rows: dict[int, list[float | None]]
) -> StackCurves:
    return StackCurves(combinations, members, list(rows), list(rows.values()), {})


@pytest.mark.parametrize("folds", [1, 2, 5])
def test_line_and_band_are_mean_and_interval_over_seeds_and_folds(folds: int) -> None:
    members = [(0, seed, fold) for seed in range(10 // folds) for fold in range(folds)]
    rows: dict[int, list[float | None]] = {1: [float(k) for k in range(10)], 4: [0.5] * 10}
    (level,) = factor_curves([stack([{"lr": 0.1}], members, rows)], {"lr": [0.1]}, "lr").levels
    assert (level.level, level.trainings) == ("0.1", 10)
    assert level.train.places == (1, 4)
    assert level.train.mean == (4.5, 0.5)
    error = statistics.stdev(range(10)) * (1 / 10 + (1 / (folds - 1) if folds > 1 else 0)) ** 0.5
    assert level.train.low == pytest.approx((4.5 - 2.2621572 * error, 0.5)), "Student's quantile of 9 degrees"
    assert level.train.high == pytest.approx((4.5 + 2.2621572 * error, 0.5))
    assert level.train.singles == tuple((float(k), 0.5) for k in range(10))


def test_other_factors_are_at_their_first_levels() -> None:
    combinations = [{"lr": lr, "net": net} for lr in (0.1, 0.2) for net in ("a", "b")]
    one = stack(combinations, [(k, 0, 0) for k in range(4)], {1: [1.0, 10.0, 2.0, 20.0]})
    by_rate, by_net = (factor_curves([one], FACTORS, factor) for factor in FACTORS)
    assert by_rate.others == {"net": "a"}
    assert [level.train.mean for level in by_rate.levels] == [(1.0,), (2.0,)]
    assert [level.train.mean for level in by_net.levels] == [(1.0,), (10.0,)]


def test_levels_of_several_stacks_come_together_and_those_that_have_not_begun_are_left_out() -> None:
    stacks = [stack([{"lr": 0.1}], [(0, seed, 0)], {1: [value]}) for seed, value in enumerate((1.0, 3.0))]
    (level,) = factor_curves(stacks, {"lr": [0.3, 0.1]}, "lr").levels
    assert (level.trainings, level.train.mean) == (2, (2.0,))


def test_a_member_of_two_stacks_counts_in_the_last() -> None:
    whole = stack([{"lr": 0.1}], [(0, 0, 0), (0, 1, 0)], {1: [8.0, 8.0]})
    halves = [stack([{"lr": 0.1}], [(0, seed, 0)], {1: [1.0]}) for seed in range(2)]
    (level,) = factor_curves([whole, *halves], {"lr": [0.1]}, "lr").levels
    assert (level.trainings, level.train.mean) == (2, (1.0,))


def test_a_curve_ends_where_fewer_than_half_of_the_trainings_are_left() -> None:
    rows: dict[int, list[float | None]] = {
        1: [1.0] * 4, 2: [1.0, float("nan"), 1.0, 1.0], 3: [1.0, None, None, 1.0], 4: [0.1, None, None, None],
    }  # fmt: skip
    one = stack([{"lr": 0.1}], [(0, seed, 0) for seed in range(4)], rows)
    (level,) = factor_curves([one], {"lr": [0.1]}, "lr").levels
    assert level.train.places == (1, 2, 3)


def test_a_score_that_was_measured_once_is_no_curve() -> None:
    scores = {"loss": [None, [1.0]], "accuracy": [[0.5], [0.75]]}
    one = StackCurves([{"lr": 0.1}], [(0, 0, 0)], [1, 2], [[2.0], [1.0]], scores)
    (level,) = factor_curves([one], {"lr": [0.1]}, "lr").levels
    assert {name: band.mean for name, band in level.validation.items()} == {"accuracy": (0.5, 0.75)}
