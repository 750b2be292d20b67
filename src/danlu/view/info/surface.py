"""The loss over two directions in the space of the weights: a surface, the way that training took over it, and its
contour lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from danlu.store.records import SurfaceMeasured
from danlu.view.info.thin import finite

Point = tuple[float, float, float | None]
Line = tuple[tuple[float | None, float | None], ...]


@dataclass(frozen=True)
class Surface:
    """`losses[row][column]` at (xs[column], ys[row]). `path` holds (x, y, loss) in the order of training,
    `path_steps` the step of each, where known; `minimum` is
    the lowest point that is known, on the grid or off it; `saddles` are points where the loss is flat and rises to two
    sides only. `exact` says that the two axes are the weights themselves,
    else they are directions through the trained weights, in units of a filter's norm (Li et al. 2018,
    https://arxiv.org/abs/1712.09913)."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    losses: tuple[tuple[float | None, ...], ...]
    path: tuple[Point, ...] = ()
    path_steps: tuple[int | None, ...] = ()
    minimum: Point | None = None
    x_label: str = "w"
    y_label: str = "b"
    exact: bool = False
    saddles: tuple[Point, ...] = ()

    def record(self) -> SurfaceMeasured:
        """The surface as a record of a journal."""
        return SurfaceMeasured(**vars(self))

    @property
    def lowest(self) -> Point:
        """The lowest point of the grid."""
        cells = [
            (loss, x, y)
            for y, row in zip(self.ys, self.losses, strict=True)
            for x, loss in zip(self.xs, row, strict=True)
            if loss is not None
        ]
        loss, x, y = min(cells)
        return x, y, loss


def read_surface(record: SurfaceMeasured) -> Surface:
    """The surface that a record of a journal tells."""
    losses = tuple(tuple(map(finite, row)) for row in record.losses)
    return Surface(
        record.xs,
        record.ys,
        losses,
        path=tuple(map(_finite_point, record.path)),
        path_steps=record.path_steps,
        minimum=None if record.minimum is None else _finite_point(record.minimum),
        x_label=record.x_label,
        y_label=record.y_label,
        exact=record.exact,
        saddles=tuple(map(_finite_point, record.saddles)),
    )


def place_at(surface: Surface, step: int) -> tuple[float, float, bool] | None:
    """Where the weights of a step lie on the plane, and whether they were kept: between two points of the path that
    were, in a straight line; None before the first of these and after the last.

    >>> way = Surface((), (), (), path=((0.0, 0.0, 2.0), (1.0, 4.0, 1.0)), path_steps=(0, 10))
    >>> place_at(way, 10), place_at(way, 5), place_at(way, 11)
    ((1.0, 4.0, True), (0.5, 2.0, False), None)
    """
    known = [(at, x, y) for at, (x, y, _) in zip(surface.path_steps, surface.path, strict=False) if at is not None]
    if not known or not known[0][0] <= step <= known[-1][0]:
        return None
    steps, xs, ys = (numpy.array(part, dtype=float) for part in zip(*known, strict=True))
    return float(numpy.interp(step, steps, xs)), float(numpy.interp(step, steps, ys)), step in steps.tolist()


def _finite_point(point: Point) -> Point:
    x, y, loss = point
    return x, y, finite(loss)


def levels(surface: Surface, count: int = 12, *, log: bool = True) -> tuple[float, ...]:
    """Heights for contour lines between the lowest and the highest loss: in equal steps, or in equal ratios."""
    found = [loss for row in surface.losses for loss in row if loss is not None and (loss > 0 or not log)]
    if not found or min(found) == max(found):
        return ()
    low, high = min(found), max(found)
    shares = [(at + 1) / (count + 1) for at in range(count)]
    if log:
        return tuple(low * (high / low) ** share for share in shares)
    return tuple(low + (high - low) * share for share in shares)


def contour(surface: Surface, level: float) -> Line:
    """Where the loss is `level`, linear between the points of the grid (marching squares): pieces of lines, each ended
    by (None, None).

    >>> slope = Surface((0.0, 1.0), (0.0, 1.0), ((0.0, 1.0), (0.0, 1.0)))
    >>> contour(slope, 0.25)
    ((0.25, 0.0), (0.25, 1.0), (None, None))
    """
    pieces: list[tuple[float | None, float | None]] = []
    for row in range(len(surface.ys) - 1):
        for column in range(len(surface.xs) - 1):
            crossings = _crossings(surface, row, column, level)
            for start, end in zip(crossings[::2], crossings[1::2], strict=False):
                pieces += [start, end, (None, None)]
    return tuple(pieces)


def _crossings(surface: Surface, row: int, column: int, level: float) -> list[tuple[float, float]]:
    """Where the level crosses the four sides of a cell, in an order that joins the right ones of a saddle."""
    corners = ((row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column))
    heights = [surface.losses[r][c] for r, c in corners]
    numbers = [height for height in heights if height is not None]
    if len(numbers) < len(corners):
        return []
    places = [(surface.xs[c], surface.ys[r]) for r, c in corners]
    found: list[tuple[float, float]] = []
    for at in range(4):
        a, b = numbers[at], numbers[(at + 1) % 4]
        if (a < level) != (b < level):
            share = (level - a) / (b - a)
            (x, y), (x2, y2) = places[at], places[(at + 1) % 4]
            found.append((x + share * (x2 - x), y + share * (y2 - y)))
    if len(found) == 4 and (sum(numbers) / 4 < level) != (numbers[0] < level):
        found = [*found[1:], found[0]]
    return found


def spans_powers(losses: Sequence[Sequence[float | None]]) -> bool:
    """Whether the losses are better read by powers of ten: all positive, and over two of them apart."""
    found = [loss for row in losses for loss in row if loss is not None and math.isfinite(loss)]
    return bool(found) and min(found) > 0 and max(found) > 100 * min(found)
