"""The shapes of points, as corners around (0, 0) within a circle of radius 1 or a square of half a side 1."""

import math

from danlu.view.paper.marks import Place

_INNER = 0.381966  # of a star of five points: its inner corners
_ARM = 0.5  # of a cross
_CORNERS = 24  # of a circle


def corners(shape: str) -> list[Place]:
    """The corners of a shape of `figures.chart.Points`, y downwards.

    >>> corners("square")
    [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    """
    return _SHAPES[shape]


def _around(count: int, radii: tuple[float, ...] = (1.0,)) -> list[Place]:
    """So many corners, the first at the top, at these distances in turn."""
    turns = (2 * math.pi * at / count for at in range(count))
    return [
        (math.sin(turn) * radii[at % len(radii)], -math.cos(turn) * radii[at % len(radii)])
        for at, turn in enumerate(turns)
    ]


_CROSS = [
    (-1.0, -_ARM), (-_ARM, -1.0), (0.0, -_ARM), (_ARM, -1.0), (1.0, -_ARM), (_ARM, 0.0),
    (1.0, _ARM), (_ARM, 1.0), (0.0, _ARM), (-_ARM, 1.0), (-1.0, _ARM), (-_ARM, 0.0),
]  # fmt: skip
_SHAPES: dict[str, list[Place]] = {
    "circle": _around(_CORNERS),
    "ring": _around(_CORNERS),
    "square": [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)],
    "diamond": _around(4, (math.sqrt(2),)),
    "triangle": [(0.0, -1.0), (1.0, 1.0), (-1.0, 1.0)],
    "cross": _CROSS,
    "star": _around(10, (1.0, _INNER)),
}
