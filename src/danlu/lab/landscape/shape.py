"""What a grid of losses shows: its lowest point and its saddle points."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy

from danlu.view.info.surface import Point

Losses = Sequence[Sequence[float]]
_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def minimum(xs: Sequence[float], ys: Sequence[float], losses: Losses, loss_at: Callable[[float, float], float]) -> Point:
    """The lowest point of all, or that of the paraboloid through it and its neighbours where the loss is lower still.

    `loss_at` is asked there. For a loss that is quadratic, such as that of a linear model, this is the very minimum.
    """
    finite = [(loss, row, column) for row, column, loss in _cells(losses) if math.isfinite(loss)]
    if not finite:
        return xs[0], ys[0], None
    loss, row, column = min(finite)
    lowest = (xs[column], ys[row], loss)
    row, column = min(max(row, 1), len(ys) - 2), min(max(column, 1), len(xs) - 2)
    found = _bottom(xs, ys, losses, row, column)
    if found is None:
        return lowest
    below = loss_at(*found)
    return (*found, below) if below < loss else lowest


def saddles(xs: Sequence[float], ys: Sequence[float], losses: Losses) -> tuple[Point, ...]:
    """Points of the grid from which the loss rises to two sides and falls between them: round about such a point it
    changes four times or more between higher and lower.

    >>> axis = [-2.0, -1.0, 0.0, 1.0, 2.0]
    >>> saddles(axis, axis, [[x * x - y * y for x in axis] for y in axis])
    ((0.0, 0.0, 0.0),)
    """
    found: list[Point] = []
    for row, column in itertools.product(range(1, len(ys) - 1), range(1, len(xs) - 1)):
        loss = losses[row][column]
        around = [losses[row + down][column + right] - loss for down, right in _RING]
        if not all(map(math.isfinite, around)) or 0.0 in around:
            continue
        changes = sum((one > 0) != (other > 0) for one, other in zip(around, [*around[1:], around[0]], strict=True))
        if changes >= 4:
            found.append((xs[column], ys[row], loss))
    return tuple(found)


def _bottom(
    xs: Sequence[float], ys: Sequence[float], losses: Losses, row: int, column: int
) -> tuple[float, float] | None:
    """Where the paraboloid through nine points is lowest; None where it opens downwards or is flat."""
    rows: list[list[float]] = []
    heights: list[float] = []
    width, height = xs[column + 1] - xs[column], ys[row + 1] - ys[row]
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        loss = losses[row + down][column + right]
        if not math.isfinite(loss):
            return None
        rows.append([1.0, right, down, right * right, right * down, down * down])
        heights.append(loss)
    _, a, b, c, d, e = numpy.linalg.lstsq(numpy.array(rows), numpy.array(heights), rcond=None)[0].tolist()
    curvature = 4 * c * e - d * d
    if c <= 0 or curvature <= 1e-12 * max(abs(c), abs(e)) ** 2:
        return None
    x, y = (d * b - 2 * e * a) / curvature, (d * a - 2 * c * b) / curvature
    return xs[column] + x * width, ys[row] + y * height


def _cells(losses: Losses) -> list[tuple[int, int, float]]:
    return [(row, column, loss) for row, own in enumerate(losses) for column, loss in enumerate(own)]
