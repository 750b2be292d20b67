"""Metrics of an exported network, counted portion by portion, are those of all rows at once."""

from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch

from danlu.ship.export.interface import Interface
from danlu.ship.export.numbers import Tallied
from danlu.train.metrics import Metrics

NUMBERS = numpy.random.default_rng(3)


def portions(found: Any, right: Any, size: int) -> Any:
    for start in range(0, len(found), size):
        rows = slice(start, start + size)
        answers, read = SimpleNamespace(values=found[rows]), SimpleNamespace(targets=right[rows].tolist())
        yield SimpleNamespace(answers=answers, rows=read)


def interface(task: str, outputs: int = 1, **target: Any) -> Interface:
    return Interface({"task": task, "outputs": outputs, "target": target})


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_of_numbers(size: int, far: float) -> None:
    right = NUMBERS.normal(far, 3, 100)
    found = right + NUMBERS.normal(0, 1, 100)
    tally: Any = Tallied(interface("regression"))
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
    tally: Any = Tallied(interface("classification", classes=labels.tolist()))
    for portion in portions(labels[found], labels[right], size):
        tally.add(portion)
    metrics = Metrics("classification", 4)
    metrics.update(torch.nn.functional.one_hot(torch.tensor(found), 4).double(), torch.tensor(right))
    assert tally.score() == pytest.approx(metrics.compute(0))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_of_several_steps_of_a_forecast(size: int) -> None:
    right = NUMBERS.normal(20, 3, (100, 2))
    found = right + NUMBERS.normal(0, 1, (100, 2))
    tally: Any = Tallied(interface("regression", 2, names=["t+1", "t+2"], naive=1.5))
    for portion in portions(found, right, size):
        tally.add(portion)
    metrics = Metrics("regression", 2, names=("t+1", "t+2"), naive=1.5)
    metrics.update(torch.tensor(found), torch.tensor(right))
    assert tally.score() == pytest.approx(metrics.compute(0))


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("cells", [True, False])
def test_of_several_labels(size: int, cells: bool) -> None:
    names = ["red", "round", "蓝"]
    right, logits = NUMBERS.integers(0, 2, (100, 3)), NUMBERS.normal(size=(100, 3))
    told: Any = ["; ".join(name for name, on in zip(names, row, strict=True) if on) or ";" for row in right]
    told = numpy.array(told) if cells else numpy.array([["no", "yes"][on] for on in right.flatten()]).reshape(100, 3)
    tally: Any = Tallied(interface("multi-label", 3, classes=names, thresholds=[], separator=";"))
    for portion in portions(logits >= 0, told, size):
        tally.add(portion)
    metrics = Metrics("multi-label", 3, names=names)
    metrics.update(torch.tensor(logits), torch.tensor(right).double())
    wanted = {name: value for name, value in metrics.compute(0).items() if not name.startswith("map")}
    assert tally.score() == pytest.approx(wanted)


def test_a_row_that_says_nothing_known_is_left_out() -> None:
    tally: Any = Tallied(interface("multi-label", 2, classes=["a", "b"], thresholds=[], separator=";"))
    found = numpy.ones((4, 2), dtype=bool)
    tally.add(next(portions(found, numpy.array(["a;b", "c", None, "b"], dtype=object), 4)))
    assert (tally.samples, tally.left_out) == (2, 2)
    tally = Tallied(interface("tagging", 2, classes=["a", "b"]))
    tally.add(next(portions(numpy.array([["a"], ["b"]]), numpy.array(["a", "b"]), 2)))
    assert (tally.score(), tally.left_out) == (None, 2)
