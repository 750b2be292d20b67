"""A panel of a chart in a narrow place of a sheet: its marks, axes, legend and title, no wider and no higher than that.

It knows the marks that the pictures of a run have there; a heat map of a landscape, bars and intervals are drawn by
matplotlib alone.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from danlu.view.figures.chart import Axis, Cells, Panel
from danlu.view.palette import LIGHT
from danlu.view.paper.legend import entries_of, legend_height, legend_marks
from danlu.view.paper.lines import Lettered
from danlu.view.paper.marks import Mark, Region, Stroke, Words
from danlu.view.paper.painted import CAP, painted
from danlu.view.paper.scale import Scale, scales_of
from danlu.view.paper.ticks import Tick, power_ticks, straight_ticks

TICK_SIZE, LABEL_SIZE, TITLE_SIZE = 7.0, 8.0, 8.0
_POWER_SIZE = 5.0
_POINT = 1 / 72
_EDGE, _GRID, _TICK = "#8A8A8A", "#E3E3E3", "#5A5A5A"
_LONG, _SHORT = 3.5 * _POINT, 2.0 * _POINT  # of a tick
_PAD = 3.5 * _POINT
_MINOR_PAD = 1.5 * _POINT
_ROW = 1.2  # of a line of words
_BETWEEN = 4 * _POINT  # names of ticks at least


@dataclass(frozen=True)
class PlacedPanel:
    """A panel with the room between its axes, all in inches."""

    panel: Panel
    inner: Region
    outer: Region
    x: Scale
    y: Scale
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    turned: bool = False  # the names of the ticks below


def placed(sheet: Lettered, panel: Panel, outer: Region, shared: Sequence[Panel] = ()) -> PlacedPanel:
    """Where the panel's axes lie, so that it fills `outer` with all that is written beside them; `shared` are the
    panels whose x axis is the same."""
    x, y = scales_of(panel, shared)
    left, top, right, bottom = outer
    top += _above(sheet, panel, right - left)
    left += LABEL_SIZE * _ROW * _POINT + 5 * _POINT if panel.y.label else 0.0
    low = bottom - (LABEL_SIZE * _ROW * _POINT + 2 * _POINT if panel.x.label else 0.0)
    named = not panel.shares_x or bool(panel.x.label)
    low -= _LONG + (_PAD + TICK_SIZE * CAP * _POINT + 2 * _POINT if named else 0.0)
    y_ticks = _apart(_ticks(panel.y, y, _most(low - top, 2)), y, low - top)
    inner_left = left + _LONG + _PAD + max((_tick_width(sheet, tick) for tick in y_ticks), default=0.0)
    whole = panel.shares_x in ("step", "epoch")
    x_ticks = _ticks(panel.x, x, _most(right - inner_left, 3), whole=whole)
    made = PlacedPanel(panel, (inner_left, top, right, low), outer, x, y, x_ticks, y_ticks)
    return _with_room_below(sheet, made) if named else made


def _above(sheet: Lettered, panel: Panel, width: float) -> float:
    """The room above the axes: for the legend, the title, or half of the topmost name of a tick."""
    return max(
        legend_height(sheet, entries_of(panel), width),
        TITLE_SIZE * _ROW * _POINT + 4 * _POINT if panel.title else 0.0,
        TICK_SIZE * _POINT / 2,
    )


def _most(length: float, sizes: int) -> int:
    """How many names of ticks have room along an axis."""
    return max(1, int(length / _POINT / (TICK_SIZE * sizes)))


def _ticks(axis: Axis, scale: Scale, most: int, *, whole: bool = False) -> list[Tick]:
    if axis.ticks:
        return [Tick(place, word) for place, word in axis.ticks if scale.has(place)]
    low, high = scale.ends
    return power_ticks(low, high, most) if scale.log else straight_ticks(low, high, most, whole=whole)


def _apart(ticks: Sequence[Tick], scale: Scale, length: float) -> list[Tick]:
    """The ticks of an axis across which the names stand, those without one whose name would lie over another's."""
    named: list[float] = []
    kept: dict[float, Tick] = {}
    for tick in sorted(ticks, key=lambda tick: (tick.minor, tick.at)):
        place = scale.at(tick.at, 0.0, length)
        free = all(abs(place - other) >= _ROW * TICK_SIZE * _POINT for other in named)
        if tick.text and free:
            named.append(place)
        kept[tick.at] = tick if free else replace(tick, text="", power="")
    return list(kept.values())


def _tick_width(sheet: Lettered, tick: Tick) -> float:
    text = sheet.shown(tick.text)
    return sheet.wide(text, TICK_SIZE) + (sheet.wide(tick.power, _POWER_SIZE) if tick.power else 0.0)


def _with_room_below(sheet: Lettered, made: PlacedPanel) -> PlacedPanel:
    """Names below the axis that would stand over each other are turned, or only some of them stay; what reaches over
    the right end of the axis makes it shorter."""
    widths = [_tick_width(sheet, tick) for tick in made.x_ticks]
    middles = [made.x.at(tick.at, made.inner[0], made.inner[2]) for tick in made.x_ticks]
    ends = [(middle - width / 2, middle + width / 2) for middle, width in zip(middles, widths, strict=True)]
    crowded = any(b[0] - a[1] < _BETWEEN for a, b in itertools.pairwise(ends))
    left, top, right, bottom = made.inner
    if crowded and any(isinstance(mark, Cells) for mark in made.panel.marks):
        deep = max(widths) - TICK_SIZE * CAP * _POINT
        ticks = _apart(made.x_ticks, made.x, right - left)
        return replace(made, inner=(left, top, right, max(bottom - deep, top + 0.01)), x_ticks=ticks, turned=True)
    over = max((end - right for _, end in ends), default=0.0)
    made = replace(made, inner=(left, top, right - over, bottom)) if over > 0 else made
    if not crowded:
        return made
    apart = abs(middles[1] - middles[0])
    every = max(2, -(-int(1000 * (max(widths) + 2 * _BETWEEN)) // max(1, int(1000 * apart))))
    return replace(
        made, x_ticks=[replace(tick, text="", power="") if at % every else tick for at, tick in enumerate(made.x_ticks)]
    )


def panel_marks(sheet: Lettered, made: PlacedPanel, label_at: float | None = None) -> list[Mark]:
    """What the panel consists of; its y label stands at `label_at`, or at its left edge."""
    panel, inner = made.panel, made.inner
    plain = not any(isinstance(mark, Cells) for mark in panel.marks)
    below, above = painted(sheet, panel, inner, made.x, made.y)
    marks: list[Mark] = [*below]
    marks += _grid(made) if plain else []
    marks += above if plain else []
    marks += [*_frame(inner), *_tick_marks(sheet, made), *([] if plain else above)]
    marks += _labels(sheet, made, label_at)
    return [*marks, *legend_marks(sheet, entries_of(panel), inner)]


def _grid(made: PlacedPanel) -> list[Mark]:
    left, top, right, bottom = made.inner
    lines = [((x, top), (x, bottom)) for x in _places(made.x_ticks, made.x, left, right)]
    lines += [((left, y), (right, y)) for y in _places(made.y_ticks, made.y, bottom, top)]
    return [Stroke(lines, _GRID, 0.6)]


def _places(ticks: Sequence[Tick], scale: Scale, start: float, end: float) -> list[float]:
    return [scale.at(tick.at, start, end) for tick in ticks if not tick.minor]


def _frame(inner: Region) -> list[Mark]:
    left, top, right, bottom = inner
    return [Stroke([((left, top), (left, bottom)), ((left, bottom), (right, bottom))], _EDGE, 0.8)]


def _tick_marks(sheet: Lettered, made: PlacedPanel) -> list[Mark]:
    """Ticks with their names, minor ones shorter."""
    left, top, right, bottom = made.inner
    named = not made.panel.shares_x or bool(made.panel.x.label)
    marks: list[Mark] = []
    for tick in made.x_ticks:
        x = made.x.at(tick.at, left, right)
        marks.append(Stroke([((x, bottom), (x, bottom + (_SHORT if tick.minor else _LONG)))], _TICK, 0.8))
        if named and tick.text and made.turned:
            text = sheet.shown(tick.text)
            base = x + CAP / 2 * TICK_SIZE * _POINT
            marks.append(Words(base, bottom + _LONG + _PAD, text, TICK_SIZE, _TICK, align="right", upright=True))
        elif named and tick.text:
            start = x - _tick_width(sheet, tick) / 2
            marks += _tick_words(sheet, tick, start, bottom + _LONG + _PAD + CAP * TICK_SIZE * _POINT)
    for tick in made.y_ticks:
        y = made.y.at(tick.at, bottom, top)
        reach = _SHORT if tick.minor else _LONG
        marks.append(Stroke([((left - reach, y), (left, y))], _TICK, 0.8))
        if tick.text:
            start = left - _LONG - _PAD - _tick_width(sheet, tick)
            marks += _tick_words(sheet, tick, start, y + CAP / 2 * TICK_SIZE * _POINT)
    return marks


def _tick_words(sheet: Lettered, tick: Tick, x: float, y: float) -> list[Mark]:
    text = sheet.shown(tick.text)
    marks: list[Mark] = [Words(x, y, text, TICK_SIZE, _TICK)]
    if tick.power:
        raised = y - 0.4 * TICK_SIZE * _POINT
        marks.append(Words(x + sheet.wide(text, TICK_SIZE), raised, tick.power, _POWER_SIZE, _TICK))
    return marks


def _labels(sheet: Lettered, made: PlacedPanel, label_at: float | None) -> list[Mark]:
    panel, (left, top, right, bottom) = made.panel, made.inner
    ink, marks = LIGHT["ink"], list[Mark]()
    if panel.title:
        text = sheet.fitted(panel.title, right - left, TITLE_SIZE)
        marks.append(Words(left, top - 4 * _POINT, text, TITLE_SIZE, ink))
    if panel.x.label:
        text = sheet.fitted(panel.x.label, made.outer[2] - made.outer[0], LABEL_SIZE)
        marks.append(Words((left + right) / 2, made.outer[3] - 2 * _POINT, text, LABEL_SIZE, ink, align="center"))
    if panel.y.label:
        text = sheet.fitted(panel.y.label, made.outer[3] - made.outer[1], LABEL_SIZE)
        x = made.outer[0] + LABEL_SIZE * _POINT if label_at is None else label_at
        marks.append(Words(x, (top + bottom) / 2, text, LABEL_SIZE, ink, align="center", upright=True))
    return marks
