"""A page as PNG, painted by Pillow: no library of charts has to be loaded for it."""

import itertools
import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy

from danlu.view.paper.fonts import DOTS_PER_INCH, Fonts, face
from danlu.view.paper.marks import Bitmap, Dots, Mark, Page, Place, Rectangle, Region, Stroke, Words
from danlu.view.paper.shapes import corners
from danlu.view.paper.smooth import FINER, line_mask

_DOTS = DOTS_PER_INCH
_POINT = _DOTS / 72  # pixels
_FINER_DOTS = 8  # so many times as large are the shapes of points painted before they are made smaller
_STRIP = 64  # rows
_DOTS_PER_METRE = round(_DOTS / 0.0254)
_COMPRESSION = 2  # of zlib: more makes a picture of lines and words hardly smaller


def png_of(page: Page, fonts: Fonts) -> bytes:
    """The page as a file. The same page gives the same bytes."""
    from PIL import Image

    image = Image.new("RGB", (round(page.width * _DOTS - 0.5), round(page.height * _DOTS - 0.5)), "white")
    painter = _Painter(image, fonts)
    for mark in page.all_marks:
        painter.paint(mark)
    return _png(image)


def _png(image: Any) -> bytes:
    """An RGB image as a PNG. Pillow's own writer tries five ways to foretell each row from the one above; on a page of
    lines and words that takes twice as long, and makes it no smaller."""
    width, height = image.size
    packer, packed = zlib.compressobj(_COMPRESSION), bytearray()
    for top in range(0, height, _STRIP):  # so few rows at a time that they stay in the processor's cache
        strip = numpy.asarray(image.crop((0, top, width, min(top + _STRIP, height))))
        rows = numpy.zeros((len(strip), 1 + 3 * width), dtype=numpy.uint8)  # the first byte: foretold in no way
        rows[:, 1:] = strip.reshape(len(strip), 3 * width)
        packed += packer.compress(rows.data)
    packed += packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits of RGB
    resolution = struct.pack(">IIB", _DOTS_PER_METRE, _DOTS_PER_METRE, 1)
    chunks = (
        (b"IHDR", header),
        (b"pHYs", resolution),
        (b"IDAT", bytes(packed)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


class _Painter:
    """Paints marks on an image."""

    def __init__(self, image: Any, fonts: Fonts) -> None:
        from PIL import ImageDraw

        self._image, self._fonts = image, fonts
        self._draw = ImageDraw.Draw(image)

    def paint(self, mark: Mark) -> None:
        """Put one mark over what is there."""
        match mark:
            case Words():
                self._words(mark)
            case Rectangle():
                self._box(mark)
            case Stroke():
                self._stroke(mark)
            case Dots():
                self._dots(mark)
            case Bitmap():
                self._pixels(mark)

    def _words(self, mark: Words) -> None:
        runs = list(self._fonts.runs(mark.text, bold=mark.bold))
        widths = [face(file, mark.size).getlength(run) for file, run in runs]
        back = {"left": 0.0, "center": 0.5, "right": 1.0}[mark.align] * sum(widths)
        if mark.upright:
            self._upright(mark, runs, widths, back)
            return
        x = mark.x * _DOTS - back
        for (file, run), width in zip(runs, widths, strict=True):
            self._draw.text((x, round(mark.y * _DOTS)), run, mark.color, face(file, mark.size), "ls")
            x += width

    def _upright(self, mark: Words, runs: Sequence[tuple[str, str]], widths: Sequence[float], back: float) -> None:
        """Written on a strip of its own, which is then turned."""
        from PIL import Image, ImageDraw

        high = math.ceil(2 * mark.size * _POINT)
        strip = Image.new("L", (max(1, math.ceil(sum(widths)) + 4), high))
        draw, x = ImageDraw.Draw(strip), 2.0
        for (file, run), width in zip(runs, widths, strict=True):
            draw.text((x, high * 3 // 4), run, 255, face(file, mark.size), "ls")
            x += width
        turned = strip.transpose(Image.Transpose.ROTATE_90)
        left, bottom = round(mark.x * _DOTS) - high * 3 // 4, round(mark.y * _DOTS + back) + 2
        self._image.paste(mark.color, (left, bottom - turned.height), turned)

    def _box(self, mark: Rectangle) -> None:
        left, top, right, bottom = (value * _DOTS for value in mark.region)
        edge = max(1.0, mark.width * _POINT) if mark.edge else 0.0
        if not mark.rounding and mark.alpha == 1.0 and not edge:
            self._draw.rectangle(
                (round(left), round(top), max(round(right), round(left) + 1) - 1, round(bottom) - 1), mark.face
            )
            return
        if mark.edge:
            self._rounded((left - edge / 2, top - edge / 2, right + edge / 2, bottom + edge / 2), mark, mark.edge)
        self._rounded((left + edge / 2, top + edge / 2, right - edge / 2, bottom - edge / 2), mark, mark.face)

    def _rounded(self, region: Region, mark: Rectangle, color: str) -> None:
        from PIL import Image, ImageDraw

        left, top = math.floor(region[0]), math.floor(region[1])
        size = math.ceil(region[2]) - left, math.ceil(region[3]) - top
        if min(size) < 1:
            return
        mask = Image.new("L", (size[0] * FINER, size[1] * FINER))
        x0, y0, x1, y1 = (round((value - (left, top)[at % 2]) * FINER) for at, value in enumerate(region))
        ImageDraw.Draw(mask).rounded_rectangle(
            (x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), mark.rounding * _DOTS * FINER, fill=round(255 * mark.alpha)
        )
        self._image.paste(color, (left, top), mask.reduce(FINER))

    def _stroke(self, mark: Stroke) -> None:
        width = mark.width * _POINT
        pieces = [[(x * _DOTS, y * _DOTS) for x, y in piece] for piece in mark.pieces]
        if mark.dash:
            pieces = [part for piece in pieces for part in dashed(piece, [width * one for one in mark.dash])]
        straight = [
            piece for piece in pieces if len(piece) == 2 and (piece[0][0] == piece[1][0] or piece[0][1] == piece[1][1])
        ]
        if len(straight) == len(pieces) and mark.alpha == 1.0:
            for piece in straight:
                self._straight(piece, max(1, round(width)), mark.color)
            return
        within = None if mark.within is None else [value * _DOTS for value in mark.within]
        made = line_mask(pieces, width, within, mark.alpha)
        if made is not None:
            self._image.paste(mark.color, made[0], made[1])

    def _straight(self, piece: Sequence[Place], width: int, color: str) -> None:
        """Along whole pixels, so that it is sharp."""
        (x0, y0), (x1, y1) = piece
        if x0 == x1:
            left = round(x0 - width / 2)
            self._draw.rectangle((left, round(min(y0, y1)), left + width - 1, round(max(y0, y1))), color)
        else:
            top = round(y0 - width / 2)
            self._draw.rectangle((round(min(x0, x1)), top, round(max(x0, x1)), top + width - 1), color)

    def _dots(self, mark: Dots) -> None:
        outer, inner = _stamps(mark)
        half = outer.width / 2
        for x, y in mark.places:
            if mark.within is not None and not _is_in(mark.within, x, y):
                continue
            corner = round(x * _DOTS - half), round(y * _DOTS - half)
            self._image.paste(mark.edge, corner, outer)
            if mark.face:
                self._image.paste(mark.face, corner, inner)

    def _pixels(self, mark: Bitmap) -> None:
        from PIL import Image

        left, top, right, bottom = (round(value * _DOTS) for value in mark.region)
        drawn = mark.image.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.NEAREST)
        self._image.paste(drawn, (left, top), drawn if drawn.mode == "RGBA" else None)


def _is_in(region: Region, x: float, y: float) -> bool:
    return region[0] <= x <= region[2] and region[1] <= y <= region[3]


def _stamps(mark: Dots) -> tuple[Any, Any]:
    """The shape with its edge, and what is within the edge: where there is no face, the edge alone."""
    from PIL import Image, ImageChops, ImageDraw

    radius, edge = mark.size / 2 * _POINT, mark.width * _POINT
    side = 2 * math.ceil(1.5 * radius + edge + 1)
    middle, scale = side * _FINER_DOTS / 2, radius * _FINER_DOTS
    points = [(middle + x * scale, middle + y * scale) for x, y in corners(mark.shape)]
    shape, line = (Image.new("L", (side * _FINER_DOTS, side * _FINER_DOTS)) for _ in range(2))
    level = round(255 * mark.alpha)
    ImageDraw.Draw(shape).polygon(points, fill=level)
    ImageDraw.Draw(line).line([*points, *points[:2]], level, max(1, round(edge * _FINER_DOTS)), joint="curve")
    whole, within = ImageChops.lighter(shape, line), ImageChops.subtract(shape, line)
    if not mark.face:
        whole = line
    return whole.reduce(_FINER_DOTS), within.reduce(_FINER_DOTS)


def dashed(points: Sequence[Place], lengths: Sequence[float]) -> list[list[Place]]:
    """The parts of a line that are seen: on, off, on … for these lengths.

    >>> dashed([(0, 0), (10, 0)], [4, 2])
    [[(0, 0), (4.0, 0.0)], [(6.0, 0.0), (10, 0)]]
    """
    turns = itertools.cycle(zip(lengths, itertools.cycle((True, False))))
    left, on = next(turns)
    parts: list[list[Place]] = [[points[0]]] if points else []
    for start, end in itertools.pairwise(points):
        length, gone = math.dist(start, end), 0.0
        while length - gone > left:
            gone += left
            share = gone / length
            place = start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
            if on:
                parts[-1].append(place)
            else:
                parts.append([place])
            left, on = next(turns)
        left -= length - gone
        if on:
            parts[-1].append(end)
    return [part for part in parts if len(part) > 1]
