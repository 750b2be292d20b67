"""Whether an exported net says what the run says: labels, probabilities and numbers side by side, without torch."""

from dataclasses import dataclass
from typing import Any

import numpy

from danlu.ship.export.onnx_file import FileAnswers

MOST_DELTA = 1e-5
"""How far probabilities, or values in units of the target's deviation (relative, beyond one), may lie apart."""
MOST_OUTPUT_DELTA = 1e-4
"""How far the net's own outputs may, relative to the largest of them, or to 1."""


@dataclass(frozen=True)
class Difference:
    """What lies between two answers for the same `samples`: how many labels differ and which row is the first, and the
    largest distances of probabilities (or values, see `MOST_DELTA`) and of outputs. NaN counts as infinitely far.
    """

    samples: int = 0
    labels: int = 0
    first: int | None = None
    delta: float = 0.0
    outputs: float = 0.0

    @property
    def none(self) -> bool:
        """Whether the answers are the same, as far as rounding goes."""
        return not self.labels and self.delta <= MOST_DELTA and self.outputs <= MOST_OUTPUT_DELTA

    def and_then(self, other: "Difference") -> "Difference":
        """Both together, the other's samples behind these."""
        first = self.first
        if first is None and other.first is not None:
            first = self.samples + other.first
        return Difference(
            self.samples + other.samples,
            self.labels + other.labels,
            first,
            max(self.delta, other.delta),
            max(self.outputs, other.outputs),
        )


def difference(found: FileAnswers, wanted: FileAnswers, scale: Any = None) -> Difference:
    """What lies between answers; `scale` are the deviations of a regression's targets."""
    values, right = numpy.asarray(found.values), numpy.asarray(wanted.values)
    outputs = _distance(found.outputs, wanted.outputs)
    samples = len(right)
    if values.shape != right.shape:
        return Difference(samples, samples, 0, numpy.inf, numpy.inf)
    wrong = (values != right).reshape(samples, -1).any(axis=1)
    first = int(wrong.argmax()) if wrong.any() else None
    if right.dtype == object and wanted.probabilities is None:  # texts
        return Difference(samples, int(wrong.sum()), first, 0.0, outputs)
    if wanted.probabilities is not None:
        found_p, wanted_p = numpy.asarray(found.probabilities), numpy.asarray(wanted.probabilities)
        delta = _largest(found_p - wanted_p) if found_p.shape == wanted_p.shape else numpy.inf
        return Difference(samples, int(wrong.sum()), first, delta, outputs)
    unit = 1.0 if scale is None else numpy.asarray(scale, dtype=numpy.float64)
    ours, theirs = values.astype(numpy.float64) / unit, right.astype(numpy.float64) / unit
    apart = numpy.abs(ours - theirs) / numpy.maximum(1.0, numpy.abs(theirs))
    rows = ~(apart <= MOST_DELTA).reshape(samples, -1).all(axis=1)
    first = int(rows.argmax()) if rows.any() else None
    return Difference(samples, int(rows.sum()), first, _largest(apart), outputs)


def _distance(found: Any, wanted: Any) -> float:
    ours, theirs = numpy.asarray(found, dtype=numpy.float64), numpy.asarray(wanted, dtype=numpy.float64)
    if ours.shape != theirs.shape:
        return numpy.inf
    return _largest(ours - theirs) / max(1.0, _largest(theirs))


def _largest(values: Any) -> float:
    if not values.size:
        return 0.0
    largest = float(numpy.abs(values).max())
    return largest if numpy.isfinite(largest) else numpy.inf
