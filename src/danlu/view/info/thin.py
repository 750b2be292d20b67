"""Long curves made short without hiding a spike: of every stretch the lowest and the highest point stay."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy


@dataclass(frozen=True)
class ThinnedCurve:
    """A curve: a number at each step; None where it was not finite."""

    steps: tuple[float, ...] = ()
    values: tuple[float | None, ...] = ()

    def __len__(self) -> int:
        return len(self.steps)


def thin(steps: Sequence[float], values: Sequence[float | None], most: int = 2000) -> ThinnedCurve:
    """At most about `most` of the points, in their order; all of them where they are no more.

    The curve is cut into stretches of equally many points. Of each stretch its first, lowest, highest and last point
    stay, and the first that is not finite: no spike, no dip and no gap is lost, and every number kept is as it was.

    >>> thin(range(9), [0, 0, 0, 0, 9, 0, 0, 0, 0], most=4).values
    (0, 9, 0)
    """
    count = len(values)
    whole = bool(numpy.isfinite(numpy.array(values, dtype=float)).all())  # a None becomes a NaN
    if count <= most:
        return ThinnedCurve(tuple(steps), tuple(values) if whole else tuple(map(finite, values)))
    kept: list[int] = []
    stretches = max(1, most // 4)
    corners = _finite_corners if whole else _corners
    for stretch in range(stretches):
        first, end = stretch * count // stretches, (stretch + 1) * count // stretches
        kept += corners(values, first, end)
    found = [values[at] for at in kept]
    return ThinnedCurve(tuple(steps[at] for at in kept), tuple(found) if whole else tuple(map(finite, found)))


def finite(value: float | None) -> float | None:
    """The number, or None where it is none that can be drawn."""
    return value if value is not None and math.isfinite(value) else None


def _corners(values: Sequence[float | None], first: int, end: int) -> list[int]:
    stretch = values[first:end]
    numbers = [value for value in stretch if value is not None and -math.inf < value < math.inf]
    corners = {0, len(stretch) - 1} if len(numbers) > 0 else {0}
    if numbers:
        corners |= {stretch.index(min(numbers)), stretch.index(max(numbers))}
    if len(numbers) < len(stretch):
        corners.add(next(at for at, value in enumerate(stretch) if finite(value) is None))
    return [first + at for at in sorted(corners)]


def _finite_corners(values: Sequence[float | None], first: int, end: int) -> list[int]:
    """The same where all numbers are finite."""
    stretch: Any = values[first:end]
    low, high = stretch.index(min(stretch)), stretch.index(max(stretch))
    return sorted({first, first + low, first + high, end - 1})
