"""Lines without steps: painted several times as large, and made smaller."""

import math
from collections.abc import Sequence
from typing import Any

from danlu.view.paper.marks import Place

FINER = 4  # times as large
_COARSER = 2  # the same for what fills more than _LARGE pixels: a trace of single steps, dense and faint
_LARGE = 250_000
_THIN = 2.0  # pixels: at the corners of a thinner line nothing is seen to be missing


def line_mask(
    pieces: Sequence[Sequence[Place]], width: float, within: Sequence[float] | None, alpha: float
) -> tuple[tuple[int, int], Any] | None:
    """A mask of Pillow's (L) of lines of this width, all in pixels, and its upper left corner; None where nothing is
    seen."""
    from PIL import Image, ImageDraw

    points = [place for piece in pieces for place in piece]
    if not points:
        return None
    beyond = width / 2 + 1
    left, top = (math.floor(min(place[at] for place in points) - beyond) for at in (0, 1))
    right, bottom = (math.ceil(max(place[at] for place in points) + beyond) for at in (0, 1))
    if within is not None:
        left, top = max(left, math.floor(within[0])), max(top, math.floor(within[1]))
        right, bottom = min(right, math.ceil(within[2]) + 1), min(bottom, math.ceil(within[3]) + 1)
    if right <= left or bottom <= top:
        return None
    finer = FINER if (right - left) * (bottom - top) <= _LARGE else _COARSER
    mask = Image.new("L", ((right - left) * finer, (bottom - top) * finer))
    draw, level, wide = ImageDraw.Draw(mask), round(255 * alpha), max(1, round(width * finer))
    for piece in pieces:
        placed = [((x - left) * finer, (y - top) * finer) for x, y in piece]
        draw.line(placed, level, wide, joint="curve" if width > _THIN else None)
    return (left, top), mask.reduce(finer)
