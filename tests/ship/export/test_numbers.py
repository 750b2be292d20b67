"""Metrics of an exported network, counted portion by portion, are those of all rows at once."""

from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch

from danlu.ship.export.numbers import Tallied
from danlu.train.metrics import Metrics

NUMBERS = numpy.random.default_rng(3)


def portions(found: Any, right: Any, size: int) -> Any:
    for start in range(0, len(found), size):
        rows = slice(start, start + size)
        answers, read = SimpleNamespace(values=found[rows]), SimpleNamespace(targets=right[rows].tolist())
        yield SimpleNamespace(answers=answers, rows=read)


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_of_numbers(size: int, far: float) -> None:
    right = NUMBERS.normal(far, 3, 100)
    found = right + NUMBERS.normal(0, 1, 100)
    tally: Any = Tallied(SimpleNamespace(task="regression"))  # type: ignore[arg-type]
    for portion in portions(found, right, size):
        tally.add(portion)
    errors = right - found
    expected = {
        "mae": numpy.abs(errors).mean(),
        "rmse": numpy.sqrt((errors**2).mean()),
        "r2": 1 - (errors**2).mean() / right.var(),
    }
    assert tally.score() == pytest.approx(expected, rel=1e-9)
    assert (tally.samples, tally.left_out) == (100, 0)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_of_classes(size: int) -> None:
    labels = numpy.array(["a", "b", "c", "never"], dtype=object)
    right, found = NUMBERS.integers(0, 3, 100), NUMBERS.integers(0, 3, 100)
    tally: Any = Tallied(SimpleNamespace(task="classification", labels=labels))  # type: ignore[arg-type]
    for portion in portions(labels[found], labels[right], size):
        tally.add(portion)
    metrics = Metrics("classification", 4)
    metrics.update(torch.nn.functional.one_hot(torch.tensor(found), 4).double(), torch.tensor(right))
    assert tally.score() == pytest.approx(metrics.compute(0))
