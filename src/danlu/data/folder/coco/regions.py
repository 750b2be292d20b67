"""Regions of a picture as COCO writes them, polygons and run lengths, to pixels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy

from danlu.base.errors import fail

Pixels = numpy.ndarray[Any, numpy.dtype[numpy.bool_]]


def region(segmentation: object, height: int, width: int) -> Pixels:
    """The pixels bool [H, W] of an annotation's `segmentation`: a list of polygons, or run lengths, plain or packed.

    UserError, with what is amiss, for anything else.
    """
    if isinstance(segmentation, Mapping):
        return _run_lengths(cast(Mapping[str, Any], segmentation), height, width)
    if not isinstance(segmentation, list) or not segmentation:
        fail("data.coco-no-region")
    inside = numpy.zeros((height, width), dtype=numpy.bool_)
    for polygon in cast(list[Any], segmentation):
        inside |= _polygon(polygon, height, width)
    return inside


def _polygon(corners: Any, height: int, width: int) -> Pixels:
    """The pixels whose middle lies within the polygon [x1, y1, x2, y2, …], its corners counted from the picture's upper
    left corner; by the even-odd rule.

    >>> _polygon([0, 0, 2, 0, 2, 1, 0, 1], 2, 3).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    numbers = cast(list[Any], corners) if isinstance(corners, list) else []
    if len(numbers) < 6 or len(numbers) % 2 or not all(map(_is_number, numbers)):
        fail("data.coco-polygon")
    points = numpy.array(numbers, dtype=numpy.float64).reshape(-1, 2)
    inside = numpy.zeros((height, width), dtype=numpy.bool_)
    columns = numpy.arange(width) + 0.5
    for (x, y), (to_x, to_y) in zip(points.tolist(), numpy.roll(points, -1, 0).tolist(), strict=True):
        first, last = (min(height, max(0, math.ceil(end - 0.5))) for end in sorted((y, to_y)))
        if first >= last:
            continue
        middles = numpy.arange(first, last) + 0.5
        crossings = x + (middles - y) * (to_x - x) / (to_y - y)
        inside[first:last] ^= columns >= crossings[:, None]
    return inside


def _run_lengths(given: Mapping[str, Any], height: int, width: int) -> Pixels:
    """Runs of pixels that lie outside and inside in turn, column by column.

    >>> _run_lengths({"counts": [1, 2, 1], "size": [2, 2]}, 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    if given.get("size") != [height, width]:
        fail("data.coco-size", found=given.get("size"), wanted=[height, width])
    counts = given.get("counts")
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in cast(list[Any], runs)):
        fail("data.coco-runs")
    lengths = cast(list[int], runs)
    if sum(lengths) != height * width:
        fail("data.coco-run-sum", found=sum(lengths), wanted=height * width)
    values = numpy.arange(len(lengths)) % 2 == 1
    return numpy.repeat(values, lengths).reshape(width, height).T


def _unpacked(text: str) -> list[int]:
    """Run lengths out of COCO's packed text: five bits a sign, the lowest first, a sixth for "more to come"; from the
    fourth on each is the difference to the last but one (pycocotools, maskApi.c, rleFrString).

    >>> _unpacked("121")
    [1, 2, 1]
    """
    runs: list[int] = []
    value, bits = 0, 0
    for sign in text:
        code = ord(sign) - 48
        if not 0 <= code < 64 or bits > 30:
            fail("data.coco-runs")
        value |= (code & 31) << bits
        bits += 5
        if code & 32:
            continue
        value -= (1 << bits) if code & 16 else 0
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, bits = 0, 0
    if bits:
        fail("data.coco-runs")
    return runs


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def drawn(layers: Sequence[tuple[Pixels, int]], height: int, width: int, crowds: Sequence[Pixels], void: int) -> Any:
    """A mask uint8 [H, W] of regions with their values, a larger one beneath a smaller; 0 where there is none, `void`
    where nothing but a crowd is.

    >>> whole, part = numpy.ones((1, 2), bool), numpy.array([[False, True]])
    >>> drawn([(part, 2), (whole, 1)], 1, 2, [], 255).tolist()
    [[1, 2]]
    """
    mask = numpy.zeros((height, width), dtype=numpy.uint8)
    for crowd in crowds:
        mask[crowd] = void
    for inside, value in sorted(layers, key=lambda layer: -int(layer[0].sum())):
        mask[inside] = value
    return mask
