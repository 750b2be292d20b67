"""Lines without steps: how much of each pixel a line covers, from how far its middle is from the line."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy

from danlu.view.paper.marks import Place

_LONGEST = 24.0  # pixels of a segment at a time: of a longer slanting one most pixels near by are far from it


def line_mask(
    pieces: Sequence[Sequence[Place]], half: float, within: Sequence[float] | None, alpha: float
) -> tuple[tuple[int, int], Any] | None:
    """A mask of Pillow's (L) of lines `half` of whose width is given, all in pixels, and its upper left corner; None
    where nothing is seen. Ends and corners are round."""
    from PIL import Image

    segments = [(*a, *b) for piece in pieces for a, b in itertools.pairwise(piece)]
    if not segments:
        return None
    lines = _cut(numpy.asarray(segments, dtype=numpy.float64))
    reach = max(half, 0.5) + 1
    low = numpy.floor(numpy.minimum(lines[:, :2], lines[:, 2:]) - reach).astype(numpy.int64)
    high = numpy.ceil(numpy.maximum(lines[:, :2], lines[:, 2:]) + reach).astype(numpy.int64)
    least, most = low.min(axis=0), high.max(axis=0)
    if within is not None:
        least = numpy.maximum(least, numpy.floor(within[:2]).astype(numpy.int64))
        most = numpy.minimum(most, numpy.ceil(within[2:]).astype(numpy.int64) + 1)
    low, high = numpy.maximum(low, least), numpy.minimum(high, most)
    seen = (high > low).all(axis=1)
    if not seen.any():
        return None
    low, high, lines = low[seen], high[seen], lines[seen]
    covered = _coverage(lines, low, high, half, least, most - least)
    pixels = numpy.rint(covered * (255 * alpha)).astype(numpy.uint8)
    return (int(least[0]), int(least[1])), Image.fromarray(pixels)


def _cut(lines: Any) -> Any:
    """Long slanting segments in several pieces, so that few pixels have to be looked at."""
    across = numpy.abs(lines[:, 2:] - lines[:, :2]).min(axis=1)
    parts = numpy.maximum(1, numpy.ceil(across / _LONGEST)).astype(numpy.int64)
    if (parts == 1).all():
        return lines
    whole = numpy.repeat(lines, parts, axis=0)
    at = numpy.arange(len(whole)) - numpy.repeat(numpy.cumsum(parts) - parts, parts)
    count = numpy.repeat(parts, parts)
    way = whole[:, 2:] - whole[:, :2]
    begin = whole[:, :2] + way * (at / count)[:, None]
    return numpy.concatenate((begin, whole[:, :2] + way * ((at + 1) / count)[:, None]), axis=1)


def _coverage(lines: Any, low: Any, high: Any, half: float, origin: Any, size: Any) -> Any:
    """For each pixel the most that one of the segments covers of it, 0 to 1."""
    wide = high - low
    count = wide[:, 0] * wide[:, 1]
    which = numpy.repeat(numpy.arange(len(lines)), count)
    at = numpy.arange(int(count.sum())) - numpy.repeat(numpy.cumsum(count) - count, count)
    row, column = numpy.divmod(at, wide[which, 0])
    x, y = column + low[which, 0], row + low[which, 1]
    start, way = lines[:, :2].astype(numpy.float32), (lines[:, 2:] - lines[:, :2]).astype(numpy.float32)
    square = numpy.maximum((way * way).sum(axis=1), 1e-12)
    dx, dy = (x + 0.5 - start[which, 0]).astype(numpy.float32), (y + 0.5 - start[which, 1]).astype(numpy.float32)
    along = numpy.clip((dx * way[which, 0] + dy * way[which, 1]) / square[which], 0, 1)
    distance = numpy.hypot(dx - along * way[which, 0], dy - along * way[which, 1])
    share = numpy.clip(half + 0.5 - distance, 0, min(1.0, 2 * half))
    seen = share > 0
    covered = numpy.zeros(int(size[0] * size[1]), dtype=numpy.float32)
    numpy.maximum.at(covered, ((y - origin[1]) * size[0] + x - origin[0])[seen], share[seen])
    return covered.reshape(int(size[1]), int(size[0]))
