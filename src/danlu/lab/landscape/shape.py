"""What a grid of losses shows: its lowest point and its saddle points."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy

from danlu.view.info.surface import Point

Losses = Sequence[Sequence[float]]
_LESSER = 0.1


def minimum(
    xs: Sequence[float], ys: Sequence[float], losses: Losses, loss_at: Callable[[float, float], float]
) -> Point:
    """The lowest point of all, or that of the paraboloid through it and its neighbours where the loss is lower still.

    `loss_at` is asked there. For a loss that is quadratic, such as that of a linear model, this is the very minimum.
    """
    finite = [(loss, row, column) for row, column, loss in _cells(losses) if math.isfinite(loss)]
    if not finite:
        return xs[0], ys[0], None
    loss, row, column = min(finite)
    lowest = (xs[column], ys[row], loss)
    row, column = min(max(row, 1), len(ys) - 2), min(max(column, 1), len(xs) - 2)
    around = _paraboloid(losses, row, column)
    if around is None or around.flat is None or around.curvatures[0] <= 0:
        return lowest
    x = xs[column] + around.flat[0] * (xs[column + 1] - xs[column])
    y = ys[row] + around.flat[1] * (ys[row + 1] - ys[row])
    below = loss_at(x, y)
    return (x, y, below) if below < loss else lowest


def saddles(xs: Sequence[float], ys: Sequence[float], losses: Losses) -> tuple[Point, ...]:
    """Points of the grid at which the loss is flat, and rises to two sides and falls between them.

    Nine points make a paraboloid, whose flat point lies within half a cell and whose curvatures are of two signs; the
    lesser must be a tenth of the greater, since a narrow valley that bends looks like a saddle between coarse points.

    >>> axis = [-2.0, -1.0, 0.0, 1.0, 2.0]
    >>> saddles(axis, axis, [[x * x - y * y for x in axis] for y in axis])
    ((0.0, 0.0, 0.0),)
    """
    found: list[Point] = []
    for row, column in itertools.product(range(1, len(ys) - 1), range(1, len(xs) - 1)):
        around = _paraboloid(losses, row, column)
        if around is None:
            continue
        flat, (least, greatest) = around.flat, around.curvatures
        two_signs = least < 0 < greatest and min(-least, greatest) >= _LESSER * max(-least, greatest)
        if two_signs and flat is not None and max(map(abs, flat)) <= 0.5:
            found.append((xs[column], ys[row], losses[row][column]))
    return tuple(found)


@dataclass(frozen=True)
class _Paraboloid:
    """a·x + b·y + c·x² + d·xy + e·y² + a constant, in cells of the grid from its middle point."""

    a: float
    b: float
    c: float
    d: float
    e: float

    @property
    def curvatures(self) -> tuple[float, float]:
        """The least and the greatest of the second derivative over all directions."""
        middle, half = self.c + self.e, math.hypot(self.c - self.e, self.d)
        return middle - half, middle + half

    @property
    def flat(self) -> tuple[float, float] | None:
        """Where both slopes are 0; None where that is a line, or nowhere."""
        determinant = 4 * self.c * self.e - self.d * self.d
        if abs(determinant) <= 1e-12 * max(abs(value) for value in self.curvatures) ** 2:
            return None
        x = (self.d * self.b - 2 * self.e * self.a) / determinant
        return x, (self.d * self.a - 2 * self.c * self.b) / determinant


def _paraboloid(losses: Losses, row: int, column: int) -> _Paraboloid | None:
    """That of least squares through nine points; None where one of them is not finite."""
    rows: list[list[float]] = []
    heights: list[float] = []
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        rows.append([1.0, right, down, right * right, right * down, down * down])
        heights.append(losses[row + down][column + right])
    if not all(map(math.isfinite, heights)):
        return None
    _, *numbers = numpy.linalg.lstsq(numpy.array(rows), numpy.array(heights), rcond=None)[0].tolist()
    return _Paraboloid(*numbers)


def _cells(losses: Losses) -> list[tuple[int, int, float]]:
    return [(row, column, loss) for row, own in enumerate(losses) for column, loss in enumerate(own)]
