"""From numbers to places along an axis, and between which numbers an axis lies."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from danlu.view.figures.chart import Axis, Cells, GuideLine, Line, Mark, Numbers, Panel, Points, Zone

_MARGIN = 0.05  # beyond the first and the last number
_BEYOND = 0.02  # of an axis behind the last number there can be, so that a mark on it is seen whole


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, which may be the other way round."""

    low: float
    high: float
    log: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The lesser first."""
        return min(self.low, self.high), max(self.low, self.high)

    def has(self, value: float) -> bool:
        """Whether a number lies on the axis."""
        return self.ends[0] <= value <= self.ends[1]

    def at(self, value: float, start: float, end: float) -> float:
        """Where a number stands between the place of `low` and that of `high`."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return start + (end - start) * (value - low) / (high - low)

    def shows(self, value: float | None) -> bool:
        """Whether a number has a place at all."""
        return value is not None and math.isfinite(value) and (value > 0 or not self.log)


def scales_of(panel: Panel, shared: Sequence[Panel] = ()) -> tuple[Scale, Scale]:
    """The axes of a panel; `shared` are the panels, itself among them, that have one x axis."""
    xs = [value for one in shared or (panel,) for value in _numbers(one.marks, "x")]
    ys = _numbers(panel.marks, "y")
    if not any(isinstance(mark, Cells) for mark in panel.marks):
        return scale_of_axis(panel.x, xs, _MARGIN), scale_of_axis(panel.y, ys, _MARGIN)
    rows = scale_of_axis(panel.y, ys, 0.0)
    return scale_of_axis(panel.x, xs, 0.0), Scale(rows.high, rows.low)  # rows from the top down


def scale_of_axis(axis: Axis, values: Iterable[float], margin: float) -> Scale:
    """An axis that holds these numbers and ends where it is said to.

    >>> scale_of_axis(Axis(least=0.0), [0.0, 1.0], 0.05)
    Scale(low=-0.021, high=1.05, log=False)
    """
    found = [value for value in values if math.isfinite(value) and (value > 0 or not axis.log)]
    low, high = (min(found), max(found)) if found else (1.0, 10.0) if axis.log else (0.0, 1.0)
    if low == high:
        low, high = (low / 2, high * 2) if axis.log else (low - abs(low) * 0.05 - 1e-3, high + abs(high) * 0.05 + 1e-3)
    if axis.log:
        beyond = (high / low) ** margin
        low, high = low / beyond, high * beyond
    else:
        low, high = low - margin * (high - low), high + margin * (high - low)
    low, high = low if axis.low is None else axis.low, high if axis.high is None else axis.high
    if axis.least is not None and low < axis.least < high and not axis.log:
        low = axis.least - _BEYOND * (high - axis.least)
    if axis.most is not None and low < axis.most < high:
        high = axis.most + _BEYOND * (axis.most - low)
    return Scale(low, high, axis.log) if low != high else Scale(low, low + 1.0, axis.log)


def _numbers(marks: Sequence[Mark], axis: str) -> list[float]:
    """The numbers that an axis has to hold."""
    found: list[float] = []
    for mark in marks:
        match mark:
            case Line() | Points():
                found += _known(mark.xs, mark.ys, first=axis == "x")
            case Zone() if mark.axis == axis:
                found += [mark.low, mark.high]
            case GuideLine() if mark.axis == axis:
                found.append(mark.at)
            case Cells() if axis == "x":
                found += [-0.5, len(mark.xs) - 0.5]
            case Cells():
                found += [-0.5, len(mark.values) - 0.5]
            case _:
                pass
    return found


def _known(xs: Numbers, ys: Numbers, *, first: bool) -> list[float]:
    """The numbers along one axis of the points that have both."""
    pairs = ((x, y) for x, y in zip(xs, ys, strict=True) if x is not None and y is not None)
    return [x if first else y for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
