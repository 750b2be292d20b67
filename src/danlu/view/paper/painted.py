"""The marks of a panel as marks of a sheet, between its axes."""

from collections.abc import Sequence

from danlu.view.figures.chart import Cells, GuideLine, Line, Numbers, Panel, Points, Zone
from danlu.view.figures.scales import color_range
from danlu.view.palette import LIGHT, RAMPS, is_dark, ramp
from danlu.view.paper.lines import Lettered
from danlu.view.paper.marks import Bitmap, Dots, Mark, Place, Rectangle, Region, Stroke, Words
from danlu.view.paper.scale import Scale

DASHES = {"solid": (), "dash": (4.0, 2.0), "dot": (1.0, 1.5), "dashdot": (5.0, 1.5, 1.0, 1.5)}
FAINT = 0.35
ZONE = 0.12
_SIZE = 7.5
_POINT = 1 / 72
CAP = 0.73  # height of a capital over the size of its font
_HATCH = 6 * _POINT  # between the lines over a zone
_LEVELS = 255  # of a ramp of colours
_WHOLE = ("ring", "star")  # shapes that mark one point, and are whole at the edge too


def painted(sheet: Lettered, panel: Panel, inner: Region, x: Scale, y: Scale) -> tuple[list[Mark], list[Mark]]:
    """What lies under the grid, and what lies over it."""
    space = _Space(sheet, inner, x, y)
    below: list[Mark] = []
    above: list[Mark] = []
    points: list[Mark] = []
    for mark in panel.marks:
        match mark:
            case Zone():
                below += space.zone(mark)
            case Line():
                above += space.line(mark)
            case Points():
                points += space.points(mark)
            case GuideLine():
                line, label = space.guide(mark)
                above += line
                points += label
            case Cells():
                above += space.cells(mark)
            case _:
                raise NotImplementedError(type(mark).__name__)
    return below, [*above, *points]


class _Space:
    """Where the numbers of a panel lie on the sheet."""

    def __init__(self, sheet: Lettered, inner: Region, x: Scale, y: Scale) -> None:
        self._sheet, self._inner, self._x, self._y = sheet, inner, x, y
        self._labels: list[list[tuple[float, float]]] = []  # of guide lines: from where to where, row by row

    def _across(self, value: float) -> float:
        return self._x.at(value, self._inner[0], self._inner[2])

    def _up(self, value: float) -> float:
        return self._y.at(value, self._inner[3], self._inner[1])

    def zone(self, mark: Zone) -> list[Mark]:
        left, top, right, bottom = self._inner
        if mark.axis == "x":
            left, right = sorted((self._across(mark.low), self._across(mark.high)))
        else:
            top, bottom = sorted((self._up(mark.low), self._up(mark.high)))
        region = (left, top, right, bottom)
        color = LIGHT[mark.color]
        return [Rectangle(region, color, alpha=ZONE), Stroke(_hatched(region), color, 1.0, alpha=ZONE, within=region)]

    def line(self, mark: Line) -> list[Mark]:
        pieces = self._pieces(mark.xs, mark.ys, stairs=mark.stairs)
        color, alpha = LIGHT[mark.color], FAINT if mark.faint else 1.0
        lone = [piece[0] for piece in pieces if len(piece) == 1]
        lines = [piece for piece in pieces if len(piece) > 1]
        marks: list[Mark] = [Stroke(lines, color, mark.width, DASHES[mark.dash], alpha, self._inner)] if lines else []
        if lone:  # no line would show anything of a point without a neighbour
            marks.append(Dots(lone, "circle", 2.5 * mark.width, color, color, 0.5, within=self._inner))
        return marks

    def _pieces(self, xs: Numbers, ys: Numbers, *, stairs: bool) -> list[list[Place]]:
        pieces: list[list[Place]] = [[]]
        for x, y in zip(xs, ys, strict=True):
            if x is None or y is None or not (self._x.shows(x) and self._y.shows(y)):
                pieces.append([])
                continue
            place = self._across(x), self._up(y)
            if stairs and pieces[-1]:
                pieces[-1].append((place[0], pieces[-1][-1][1]))
            pieces[-1].append(place)
        return [piece for piece in pieces if piece]

    def points(self, mark: Points) -> list[Mark]:
        places = [place for piece in self._pieces(mark.xs, mark.ys, stairs=False) for place in piece]
        ring, color = mark.shape == "ring", LIGHT[mark.color]
        within = None if mark.shape in _WHOLE else self._inner
        face, edge, width = ("", color, 1.4) if ring else (color, "#FFFFFF", 0.5)
        return [Dots(places, mark.shape, mark.size, face, edge, width, FAINT if mark.faint else 1.0, within)]

    def guide(self, mark: GuideLine) -> tuple[list[Mark], list[Mark]]:
        """The line, and what is written at it."""
        left, top, right, bottom = self._inner
        color, scale = LIGHT[mark.color], self._x if mark.axis == "x" else self._y
        if not (scale.shows(mark.at) and scale.has(mark.at)):
            return [], []
        place = self._across(mark.at) if mark.axis == "x" else self._up(mark.at)
        ends = ((place, top), (place, bottom)) if mark.axis == "x" else ((left, place), (right, place))
        lines: list[Mark] = [Stroke([ends], color, 1.1, DASHES[mark.dash], within=self._inner)]
        text = self._sheet.shown(mark.label)
        if not text:
            return lines, []
        if mark.axis == "y":
            return lines, [Words(right, place - 2 * _POINT, text, _SIZE, LIGHT["ink"], align="right")]
        half, pad = self._sheet.wide(text, _SIZE) / 2, 0.25 * _SIZE * _POINT
        row = self._free_row(place - half - pad, place + half + pad)
        upper = top + 0.03 * (bottom - top) + row * (CAP * _SIZE * _POINT + 3 * pad)
        base = upper + CAP * _SIZE * _POINT
        region = (place - half - pad, upper - pad, place + half + pad, base + pad)
        return lines, [
            Rectangle(region, color, rounding=pad),
            Words(place, base, text, _SIZE, "#FFFFFF", align="center"),
        ]

    def _free_row(self, left: float, right: float) -> int:
        """The first row in which a label has room beside those that stand there."""
        for number, taken in enumerate(self._labels):
            if all(right < start or end < left for start, end in taken):
                taken.append((left, right))
                return number
        self._labels.append([(left, right)])
        return len(self._labels) - 1

    def cells(self, mark: Cells) -> list[Mark]:
        low, high = color_range(mark.values, ramp=mark.ramp, log=mark.log)
        scale = Scale(low, high, mark.log)
        levels = [
            [_level(scale.at(one, 0, _LEVELS)) if one is not None and scale.shows(one) else -1 for one in row]
            for row in mark.values
        ]
        table = [ramp(RAMPS[mark.ramp], level / _LEVELS) for level in range(_LEVELS + 1)]
        marks: list[Mark] = [Bitmap(self._inner, _image(levels, table, bare=mark.bare))]
        column = (self._inner[2] - self._inner[0]) / max(1, len(mark.xs))
        signs = max((self._sheet.wide(text, _SIZE) for texts in mark.texts for text in texts), default=0.0)
        for row, texts in enumerate(mark.texts if signs <= column else ()):
            base = self._up(row) + CAP / 2 * _SIZE * _POINT
            for at, text in enumerate(texts):
                level = levels[row][at]
                color = "#FFFFFF" if level >= 0 and is_dark(table[level]) else LIGHT["ink"]
                marks += [Words(self._across(at), base, text, _SIZE, color, align="center")] if text else []
        return marks


def _level(share: float) -> int:
    return min(_LEVELS, max(0, round(share)))


def _image(levels: Sequence[Sequence[int]], table: Sequence[str], *, bare: bool) -> object:
    """A pixel a cell; one below 0 is clear, or pale grey."""
    from PIL import Image

    colors = [bytes.fromhex(color[1:]) + b"\xff" for color in table]
    colors.append(b"\xff\xff\xff\x00" if bare else b"\xed\xed\xed\xff")  # the last one, which is -1
    size = len(levels[0]) if levels else 0, len(levels)
    pixels = b"".join(colors[level] for row in levels for level in row)
    return Image.frombytes("RGBA", size, pixels) if pixels else Image.new("RGBA", (1, 1), "white")


def _hatched(region: Region) -> list[tuple[Place, Place]]:
    """Slanting lines over a region; what reaches out of it is cut off where they are drawn."""
    left, top, right, bottom = region
    high = bottom - top
    count = int((right - left + high) / _HATCH)
    return [((left + at * _HATCH - high, bottom), (left + at * _HATCH, top)) for at in range(1, count + 1)]
