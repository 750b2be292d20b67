"""How many answers of an exported network are right, counted without torch: the metrics that a run is scored with."""

from typing import Any

import numpy

from danlu.ship.export.interface import Interface
from danlu.ship.portions import spelled


class Tallied:
    """Accuracy and macro F1 of classes; R², mean absolute and root mean squared error of numbers, in their own unit.
    Rows whose file does not give the right answer, or gives one that was not trained on, are left out.
    """

    def __init__(self, interface: Interface) -> None:
        self._classes = interface.task == "classification"
        self._numbers = {spelled(label): place for place, label in enumerate(interface.labels.tolist())} \
            if self._classes else {}  # fmt: skip
        self._pairs: list[tuple[float, float]] = []
        self.samples = 0
        self.left_out = 0

    def add(self, portion: Any) -> None:
        """Count the rows of a `danlu.ship.export.exported.AnsweredRows` that say what would have been right."""
        values = numpy.asarray(portion.answers.values)
        targets = portion.rows.targets
        if targets is None or values.ndim > 1:
            self.left_out += len(values)
            return
        for value, target in zip(values.tolist(), targets, strict=True):
            right = None if target is None else self._known(target)
            if right is None:
                self.left_out += 1
            else:
                self.samples += 1
                self._pairs.append((self._numbers[spelled(value)] if self._classes else float(value), right))

    def score(self) -> dict[str, float] | None:
        """Metrics by name; None where no row was counted."""
        if not self.samples:
            return None
        found, right = (numpy.array(values) for values in zip(*self._pairs, strict=True))
        return _of_classes(found, right) if self._classes else _of_numbers(found, right)

    def _known(self, target: Any) -> float | None:
        known = spelled(target)
        if self._classes:
            return self._numbers.get(known)
        return known if isinstance(known, float) else None


def _of_classes(found: Any, right: Any) -> dict[str, float]:
    met = numpy.union1d(found, right)
    hits = [2 * ((found == one) & (right == one)).sum() / ((found == one).sum() + (right == one).sum()) for one in met]
    return {"accuracy": float((found == right).mean()), "f1": float(numpy.mean(hits))}


def _of_numbers(found: Any, right: Any) -> dict[str, float]:
    errors = right - found
    scores = {"mae": float(numpy.abs(errors).mean()), "rmse": float(numpy.sqrt(numpy.square(errors).mean()))}
    spread = float(numpy.square(right - right.mean()).sum())
    if len(right) < 2 or spread == 0:
        return scores
    return {"r2": 1 - float(numpy.square(errors).sum()) / spread, **scores}
