"""How many answers of an exported network are right, counted without torch: the metrics that a run is scored with."""

from typing import Any

import numpy

from danlu.data.label_cells import labels_in, switched
from danlu.ship.export.interface import Interface
from danlu.ship.portions import spelled

Array = numpy.ndarray[Any, Any]
_MOST_NAMED = 20
_NOTHING = 1e-4  # the spread, or the error, of numbers that are all alike


class Tallied:
    """Accuracy and macro F1 of classes; F1 (macro and of all decisions together) and the share of samples with exactly
    the right labels, where there may be several; R², mean absolute and root mean squared error of numbers, in their own
    unit, and of a time series the mean absolute scaled error. Rows whose file does not give the right answer, or gives
    one that was not trained on, are left out, as are answers at each place of a sample. What is kept does not grow with
    the rows.
    """

    def __init__(self, interface: Interface) -> None:
        self._counts = _counts_of(interface)
        self.samples = 0
        self.left_out = 0

    def add(self, portion: Any) -> None:
        """Count the rows of a `danlu.ship.export.exported.AnsweredRows` that say what would have been right."""
        values, targets = numpy.asarray(portion.answers.values), portion.rows.targets
        if targets is None or self._counts is None:
            self.left_out += len(values)
            return
        right = [self._counts.read(target) for target in targets]
        known = numpy.array([one is not None for one in right])
        self.left_out += int((~known).sum())
        self.samples += int(known.sum())
        if known.any():
            self._counts.add(values[known], numpy.array([one for one in right if one is not None]))

    def score(self) -> dict[str, float] | None:
        """Metrics by name; None where no row was counted."""
        return self._counts.result() if self.samples and self._counts is not None else None


def _counts_of(interface: Interface) -> "_ClassCounts | _LabelCounts | _NumberSums | None":
    if interface.task == "classification":
        return _ClassCounts(interface.labels.tolist())
    if interface.task == "multi-label":
        return _LabelCounts(interface)
    return _NumberSums(interface) if interface.task == "regression" else None


class _ClassCounts:
    def __init__(self, labels: list[Any]) -> None:
        self._numbers = {spelled(label): place for place, label in enumerate(labels)}
        self._counts = numpy.zeros((len(labels), len(labels)), dtype=numpy.int64)  # [right, found]

    def read(self, target: Any) -> int | None:
        """The number of the class that a cell names; None for one that is none of them."""
        return None if target is None else self._numbers.get(spelled(target))

    def add(self, found: Array, right: Array) -> None:
        places = numpy.array([self._numbers[spelled(value)] for value in found.tolist()])
        numpy.add.at(self._counts, (right, places), 1)

    def result(self) -> dict[str, float]:
        hits = numpy.diag(self._counts)
        each = self._counts.sum(0) + self._counts.sum(1)
        met = each > 0
        f1 = (2 * hits[met] / each[met]).mean()
        return {"accuracy": float(hits.sum() / self._counts.sum()), "f1": float(f1)}


class _LabelCounts:
    def __init__(self, interface: Interface) -> None:
        target = interface.plain["target"]
        self._labels, self._separator = list(target["classes"]), str(target["separator"])
        self._numbers = {spelled(label): place for place, label in enumerate(self._labels)}
        self._names = interface.class_names
        self._hits, self._given, self._there = numpy.zeros((3, len(self._labels)), dtype=numpy.int64)
        self._samples = self._exact = 0

    def read(self, target: Any) -> list[bool] | None:
        """Which labels a cell names, or a list of cells that say of each whether it is there."""
        if isinstance(target, list):
            switches = [None if cell is None or cell != cell else switched([cell]) for cell in target]
            known = [bool(one[0]) for one in switches if one is not None]
            return known if len(known) == len(self._labels) else None
        if target is None:
            return None
        places = [self._numbers.get(spelled(label)) for label in labels_in(str(target), self._separator)]
        return None if None in places else [place in places for place in range(len(self._labels))]

    def add(self, found: Array, right: Array) -> None:
        self._hits += (found & right).sum(0)
        self._given += found.sum(0)
        self._there += right.sum(0)
        self._exact += int((found == right).all(1).sum())
        self._samples += len(right)

    def result(self) -> dict[str, float]:
        either = self._given + self._there
        each = 2 * self._hits / numpy.maximum(either, 1)
        score = {
            "f1": float(each.mean()),
            "f1_micro": float(2 * self._hits.sum() / max(1, either.sum())),
            "subset_accuracy": self._exact / self._samples,
        }
        named = self._names if len(self._names) <= _MOST_NAMED else ()
        return score | {f"f1.{name}": float(value) for name, value in zip(named, each, strict=False)}


class _NumberSums:
    def __init__(self, interface: Interface) -> None:
        target, count = interface.plain["target"], interface.plain["outputs"]
        names = target.get("names") or [str(place) for place in range(1, count + 1)]
        self._names: list[str] = list(names) if 1 < count <= _MOST_NAMED else []
        self._naive = None if target.get("naive") is None else float(target["naive"])
        self._width, self._count = count, 0
        self._mean, self._spread = numpy.zeros((2, count))  # of the right answers
        self._absolute, self._squared = numpy.zeros((2, count))  # of the errors

    def read(self, target: Any) -> list[float] | None:
        """A cell, or a list of them, as numbers."""
        known = [spelled(cell) for cell in (target if isinstance(target, list) else [target]) if cell is not None]
        numbers = [cell for cell in known if isinstance(cell, float)]
        return numbers if len(numbers) == self._width else None

    def add(self, found: Array, right: Array) -> None:
        errors = right - found.reshape(right.shape)
        self._absolute += numpy.abs(errors).sum(0)
        self._squared += numpy.square(errors).sum(0)
        # Chan, Golub and LeVeque 1979: sums of squares around the mean, put together portion by portion.
        apart, count = right.mean(0) - self._mean, len(right)
        total = self._count + count
        self._spread += numpy.square(right - right.mean(0)).sum(0) + apart**2 * self._count * count / total
        self._mean += apart * count / total
        self._count = total

    def result(self) -> dict[str, float]:
        each = {"mae": self._absolute / self._count, "rmse": numpy.sqrt(self._squared / self._count)}
        if self._count > 1:
            each = {"r2": self._explained(), **each}
        if self._naive is not None:
            each["mase"] = each["mae"] / self._naive
        score = {name: float(values.mean()) for name, values in each.items()}
        for place, target in enumerate(self._names):
            score |= {f"{name}.{target}": float(values[place]) for name, values in each.items()}
        return score

    def _explained(self) -> Array:
        """R², of targets that do not vary 1 or 0, as a run has it."""
        flat, exact = self._spread <= _NOTHING, self._squared <= _NOTHING
        share = 1 - self._squared / numpy.where(flat, 1.0, self._spread)
        return numpy.where(exact, 1.0, numpy.where(flat, 0.0, share))
