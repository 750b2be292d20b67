"""Interactions: means by two factors, and whether what one does depends on the other, against plain arithmetic."""

from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.stats import holm, paired_effect
from danlu.stats.interactions import interactions
from danlu.stats.studies import Member

FACTORS: dict[str, list[Any]] = {"a": ["x", "y"], "b": [[8], [16], [32]]}


def members(values: Any, metric: str) -> list[Member]:
    """One for each of `values` [2, 3, seeds, folds]."""
    return [
        Member(
            {"a": FACTORS["a"][i], "b": FACTORS["b"][j]}, seed, fold, {metric: float(values[i, j, seed, fold])}, False
        )
        for i, j, seed, fold in numpy.ndindex(values.shape)
    ]


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_means_and_differences_of_differences_equal_plain_arithmetic(metric: str) -> None:
    values = numpy.random.default_rng(0).normal(size=(2, 3, 4, 3))
    (found,) = interactions(members(values, metric), FACTORS, metric, 0.01)
    assert found.factors == ("a", "b")
    assert numpy.array(found.means) == pytest.approx(values.mean((2, 3)))
    within = ((values - values.mean((2, 3), keepdims=True)) ** 2).sum() / (values.size - 6)
    assert found.error == pytest.approx((within / 12) ** 0.5)
    record = found.as_dict()
    changes = [(values[1, column] - values[0, column]) - (values[1, 0] - values[0, 0]) for column in (1, 2)]
    family = holm([paired_effect(change.T.tolist(), margin=0.01) for change in changes])
    for column, wanted in enumerate(family, start=1):
        (row,) = [row for row in record["changes"] if row["levels"] == ["y", FACTORS["b"][column]]]
        assert (row["mean"], row["low"], row["high"]) == pytest.approx((wanted.mean, wanted.low, wanted.high))
        assert row["pairs"] == 12


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_effects_that_add_up_do_not_depend_on_each_other(base: float, by_row: float, by_column: float) -> None:
    noise = numpy.random.default_rng(1).normal(size=(1, 1, 5, 1))
    rows, columns = numpy.array([0, by_row])[:, None], numpy.array([0, by_column, -by_column])
    values = base + (rows + columns)[:, :, None, None] + noise
    (found,) = interactions(members(values, "accuracy"), FACTORS, "accuracy", 0.01)
    assert [change["verdict"] for change in found.as_dict()["changes"]] == ["adds up", "adds up"]


def test_what_depends_is_said_to() -> None:
    values = numpy.random.default_rng(2).normal(0.8, 0.001, size=(2, 3, 6, 1))
    values[1, 2] += 0.1
    (found,) = interactions(members(values, "accuracy"), FACTORS, "accuracy", 0.01)
    assert [change["verdict"] for change in found.as_dict()["changes"]] == ["adds up", "depends"]


def test_diverged_members_are_left_out() -> None:
    values = numpy.ones((2, 3, 2, 1))
    values[0, 0] = float("nan")
    (found,) = interactions(members(values, "accuracy"), FACTORS, "accuracy", 0.01)
    assert numpy.isnan(found.means[0][0])
    assert found.as_dict()["changes"] == []
    assert found.as_dict()["means"][0][0] is None
