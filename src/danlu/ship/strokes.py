"""A digit that somebody draws, as a picture like those of the catalogue: as large in it, as thick, as centred."""

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy

from danlu.base.errors import fail

Stroke = Sequence[tuple[float, float]]

_FINER = 8  # times as large as the picture it is drawn, then made smaller
_LEAST_EXTENT = 0.05  # of the canvas: a dot stays one


def drawn(strokes: Sequence[Stroke], height: int, width: int) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint8]]":
    """Strokes, of points (x, y) on a canvas from 0 to 1, as uint8 [height, width], light on dark.

    As in MNIST, what is drawn fills 20 of 28 pixels along its longer side and has its centre of mass in the middle
    (http://yann.lecun.com/exdb/mnist); pictures below 20 pixels are filled, as scikit-learn's digits are. UserError
    where nothing is drawn.

    >>> drawn([[(0.1, 0.5), (0.1, 0.9)]], 28, 28).shape
    (28, 28)
    """
    from PIL import Image, ImageDraw

    points = [point for stroke in strokes for point in stroke]
    if not points:
        fail("ship.nothing-drawn")
    side = min(height, width)
    box = side * 20 / 28 if side >= 20 else float(side)
    pen = 0.12 * box + 0.5
    xs, ys = [x for x, _ in points], [y for _, y in points]
    extent = max(max(xs) - min(xs), max(ys) - min(ys), _LEAST_EXTENT)
    scale = (box - pen) / extent * _FINER
    middle = ((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)
    picture = Image.new("L", (width * _FINER, height * _FINER))
    brush, radius = ImageDraw.Draw(picture), pen * _FINER / 2
    for stroke in strokes:
        places = [
            ((x - middle[0]) * scale + picture.width / 2, (y - middle[1]) * scale + picture.height / 2)
            for x, y in stroke
        ]
        if len(places) > 1:
            brush.line(places, fill=255, width=round(2 * radius))
        for x, y in places:  # round ends and joints
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    small = numpy.asarray(picture.resize((width, height), Image.Resampling.BOX))
    return _centred(small) if box < side else small


def _centred(picture: "numpy.ndarray[Any, Any]") -> "numpy.ndarray[Any, Any]":
    """The picture moved by whole pixels so that its centre of mass is in the middle, as far as nothing leaves it."""
    weight = picture.astype(numpy.float64)
    moves: list[int] = []
    for axis in (0, 1):
        profile = weight.sum(1 - axis)
        places = numpy.arange(len(profile))
        wanted = round((len(profile) - 1) / 2 - float((profile * places).sum() / profile.sum()))
        inked = numpy.flatnonzero(profile)
        moves.append(max(-int(inked[0]), min(wanted, len(profile) - 1 - int(inked[-1]))))
    return numpy.roll(picture, moves, axis=(0, 1))


def png(pixels: "numpy.ndarray[Any, Any]") -> bytes:
    """uint8 [H, W] or [H, W, 3] as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def read_strokes(found: Any, most_points: int) -> list[Stroke]:
    """Strokes out of parsed JSON: lists of pairs of numbers from 0 to 1. ValueError for anything else, and for more
    than `most_points` points.

    >>> read_strokes([[[0, 0.5], [1, 1]]], 10)
    [[(0.0, 0.5), (1.0, 1.0)]]
    """
    if not isinstance(found, list) or not all(isinstance(stroke, list) for stroke in found):
        raise ValueError("strokes are lists of points")
    if sum(len(stroke) for stroke in found) > most_points:
        raise ValueError("too many points")
    strokes = [[_point(point) for point in stroke] for stroke in found]
    return [stroke for stroke in strokes if stroke]


def _point(found: Any) -> tuple[float, float]:
    if not (isinstance(found, list) and len(found) == 2):
        raise ValueError("a point is a pair")
    x, y = found
    for one in (x, y):
        if isinstance(one, bool) or not isinstance(one, int | float) or not (math.isfinite(one) and 0 <= one <= 1):
            raise ValueError("a point's numbers are from 0 to 1")
    return float(x), float(y)
