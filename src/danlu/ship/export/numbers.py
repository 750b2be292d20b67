"""How many answers of an exported network are right, counted without torch: the metrics that a run is scored with."""

import math
from typing import Any

import numpy

from danlu.ship.export.interface import Interface
from danlu.ship.portions import spelled


class Tallied:
    """Accuracy and macro F1 of classes; R², mean absolute and root mean squared error of numbers, in their own unit.
    Rows whose file does not give the right answer, or gives one that was not trained on, are left out. What is kept
    does not grow with the rows.
    """

    def __init__(self, interface: Interface) -> None:
        self._classes = interface.task == "classification"
        self._numbers = {spelled(label): place for place, label in enumerate(interface.labels.tolist())} \
            if self._classes else {}  # fmt: skip
        self._sums = _ClassSums(len(self._numbers)) if self._classes else _NumberSums()
        self.samples = 0
        self.left_out = 0

    def add(self, portion: Any) -> None:
        """Count the rows of a `danlu.ship.export.exported.AnsweredRows` that say what would have been right."""
        values = numpy.asarray(portion.answers.values)
        targets = portion.rows.targets
        if targets is None or values.ndim > 1:
            self.left_out += len(values)
            return
        pairs: list[tuple[float, float]] = []
        for value, target in zip(values.tolist(), targets, strict=True):
            right = None if target is None else self._known(target)
            if right is not None:
                pairs.append((self._numbers[spelled(value)] if self._classes else float(value), right))
        self.left_out += len(targets) - len(pairs)
        self.samples += len(pairs)
        if pairs:
            self._sums.add(*(numpy.array(column) for column in zip(*pairs, strict=True)))

    def score(self) -> dict[str, float] | None:
        """Metrics by name; None where no row was counted."""
        return self._sums.result() if self.samples else None

    def _known(self, target: Any) -> float | None:
        known = spelled(target)
        if self._classes:
            return self._numbers.get(known)
        return known if isinstance(known, float) else None


class _ClassSums:
    def __init__(self, classes: int) -> None:
        self._counts = numpy.zeros((classes, classes), dtype=numpy.int64)  # [right, found]

    def add(self, found: Any, right: Any) -> None:
        numpy.add.at(self._counts, (right.astype(numpy.int64), found.astype(numpy.int64)), 1)

    def result(self) -> dict[str, float]:
        hits = numpy.diag(self._counts)
        each = self._counts.sum(0) + self._counts.sum(1)
        met = each > 0
        f1 = (2 * hits[met] / each[met]).mean()
        return {"accuracy": float(hits.sum() / self._counts.sum()), "f1": float(f1)}


class _NumberSums:
    def __init__(self) -> None:
        self._count, self._mean, self._spread = 0, 0.0, 0.0  # of the right answers
        self._absolute, self._squared = 0.0, 0.0  # of the errors

    def add(self, found: Any, right: Any) -> None:
        errors = right - found
        self._absolute += float(numpy.abs(errors).sum())
        self._squared += float(numpy.square(errors).sum())
        # Chan, Golub and LeVeque 1979: sums of squares around the mean, put together portion by portion.
        apart, count = float(right.mean()) - self._mean, len(right)
        total = self._count + count
        self._spread += float(numpy.square(right - right.mean()).sum()) + apart**2 * self._count * count / total
        self._mean += apart * count / total
        self._count = total

    def result(self) -> dict[str, float]:
        scores = {"mae": self._absolute / self._count, "rmse": math.sqrt(self._squared / self._count)}
        if self._count < 2 or self._spread == 0:
            return scores
        return {"r2": 1 - self._squared / self._spread, **scores}
