"""The legend over a panel: at its right end, in as many columns as have room."""

from collections.abc import Sequence
from dataclasses import dataclass

from danlu.view.figures.chart import Line, Panel, Points, Zone
from danlu.view.palette import LIGHT
from danlu.view.paper.lines import Lettered
from danlu.view.paper.marks import Dots, Mark, Place, Rectangle, Region, Stroke, Words
from danlu.view.paper.painted import CAP, DASHES, FAINT, ZONE

_SIZE = 7.5
_EM = _SIZE / 72
_HANDLE, _GAP, _COLUMN, _EDGE = 2.0 * _EM, 0.8 * _EM, 2.0 * _EM, 0.5 * _EM
_ROW = 1.45 * _EM
_MOST_COLUMNS = 4


@dataclass(frozen=True)
class LegendEntry:
    """One line of a legend: a mark with a label."""

    mark: Line | Points | Zone
    label: str


def entries_of(panel: Panel) -> list[LegendEntry]:
    """What is named in the panel's legend."""
    marks = (mark for mark in panel.marks if isinstance(mark, Line | Points | Zone))
    return [LegendEntry(mark, mark.label) for mark in marks if mark.label]


def legend_height(sheet: Lettered, entries: Sequence[LegendEntry], width: float) -> float:
    """The room that it takes over the axes of a panel so wide."""
    return _ROW * len(_rows(sheet, entries, width)) + _EDGE if entries else 0.0


def legend_marks(sheet: Lettered, entries: Sequence[LegendEntry], inner: Region) -> list[Mark]:
    """The legend over axes at `inner`."""
    left, top, right, _ = inner
    rows = _rows(sheet, entries, right - left)
    if not rows:
        return []
    widths = [max(_wide(sheet, row[at]) for row in rows if at < len(row)) for at in range(len(rows[0]))]
    start = right - _EDGE - sum(widths) - _COLUMN * (len(widths) - 1)
    marks: list[Mark] = []
    for number, row in enumerate(rows):
        x, middle = start, top - _EDGE - _ROW * (len(rows) - number - 0.5)
        for entry, width in zip(row, widths, strict=False):
            text = sheet.fitted(entry.label, max(right - x - _HANDLE - _GAP, _EM), _SIZE)
            marks += [_handle(entry, x, middle)]
            base = middle + CAP / 2 * _EM
            marks.append(Words(x + _HANDLE + _GAP, base, text, _SIZE, LIGHT["ink"]))
            x += width + _COLUMN
    return marks


def _wide(sheet: Lettered, entry: LegendEntry) -> float:
    return _HANDLE + _GAP + sheet.wide(sheet.shown(entry.label), _SIZE)


def _rows(sheet: Lettered, entries: Sequence[LegendEntry], width: float) -> list[list[LegendEntry]]:
    """The entries in as many columns as have room, read down and then across."""
    for columns in range(min(_MOST_COLUMNS, len(entries)), 0, -1):
        high = -(-len(entries) // columns)
        stacks = [entries[at : at + high] for at in range(0, len(entries), high)]
        wide = sum(max(_wide(sheet, one) for one in stack) for stack in stacks) + _COLUMN * (len(stacks) - 1)
        if wide + 2 * _EDGE <= width or columns == 1:
            return [[stack[row] for stack in stacks if row < len(stack)] for row in range(high)]
    return []


def _handle(entry: LegendEntry, x: float, middle: float) -> Mark:
    """The mark in small."""
    mark = entry.mark
    color = LIGHT[mark.color]
    centre: list[Place] = [(x + _HANDLE / 2, middle)]
    match mark:
        case Line():
            ends = ((x, middle), (x + _HANDLE, middle))
            return Stroke([ends], color, mark.width, DASHES[mark.dash], FAINT if mark.faint else 1.0)
        case Points():
            face, edge, width = ("", color, 1.4) if mark.shape == "ring" else (color, "#FFFFFF", 0.5)
            return Dots(centre, mark.shape, mark.size, face, edge, width)
        case Zone():
            return Rectangle((x, middle - 0.35 * _EM, x + _HANDLE, middle + 0.35 * _EM), color, alpha=ZONE)
