"""How many answers of an exported network are right, counted without torch: the metrics that a run is scored with."""

import math
from typing import Any

import numpy

from danlu.ship.export.interface import Interface


class Tallied:
    """Accuracy and macro F1 of classes; R², mean absolute and root mean squared error of numbers, in their own unit.
    Rows whose file does not give the right answer, or gives one that was not trained on, are left out.
    """

    def __init__(self, interface: Interface) -> None:
        self._classes = interface.task == "classification"
        self._numbers = {_spelled(label): place for place, label in enumerate(interface.labels.tolist())} \
            if self._classes else {}  # fmt: skip
        self._pairs: list[tuple[float, float]] = []
        self.samples = 0
        self.left_out = 0

    def add(self, portion: Any) -> None:
        """Count the rows of a `danlu.ship.export.exported.Portion` that say what would have been right."""
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
                self._pairs.append((self._numbers[_spelled(value)] if self._classes else float(value), right))

    def score(self) -> dict[str, float] | None:
        """Metrics by name; None where no row was counted."""
        if not self.samples:
            return None
        found, right = (numpy.array(values) for values in zip(*self._pairs, strict=True))
        return _of_classes(found, right) if self._classes else _of_numbers(found, right)

    def _known(self, target: Any) -> float | None:
        spelled = _spelled(target)
        if self._classes:
            return self._numbers.get(spelled)
        return spelled if isinstance(spelled, float) else None


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


def _spelled(value: Any) -> str | float:
    """A label as it can be compared, whether it was read as text or not: "1", 1 and 1.0 are one, as "true" and True."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return float(value.strip().lower() == "true")
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else str(value)
