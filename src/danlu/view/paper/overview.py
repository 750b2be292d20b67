"""The poster of a run on a sheet of A4: scores on top, curves, answers and net below, then samples and findings."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from danlu.base.words import say
from danlu.view.figures.chart import Panel, Picture
from danlu.view.graphs.look import BORDER, FILL
from danlu.view.overview import Overview, OverviewFinding, OverviewLayer, OverviewPicture
from danlu.view.palette import LIGHT, SEVERITY
from danlu.view.paper.fonts import fonts_for
from danlu.view.paper.images import pixels_of
from danlu.view.paper.lines import Lettered, line_height
from danlu.view.paper.marks import Bitmap, Rectangle, Region
from danlu.view.paper.panel import PlacedPanel, panel_marks, placed
from danlu.view.paper.raster import png_of
from danlu.view.paper.vector import vector_of

WIDTH, HEIGHT = 8.27, 11.69  # A4 in inches
_EDGE = 0.42
_BETWEEN = 0.26
_RIGHT = 2.85  # the width of the right column
_INNER = WIDTH - 2 * _EDGE
_FAINT = "#5F5F5F"
_TITLE = 9.0
_TITLE_HEIGHT = 0.24
_LAYER_HEIGHT = (0.15, 0.36)
_TWO_LINES = 0.295  # from this height on a layer has two lines
_ANSWER_HEIGHT = (1.5, 3.1)
_MOST_FINDINGS_HEIGHT = 2.3
_PICTURES = 8
_CAPTION, _CAPTION_LINES = 6.5, 4
_MOST_ROWS = 6
_OTHERS = (6.5, 6.0, 5.5)  # sizes of the line below a score: the largest in which it has room


def draw_overview(info: Overview, kind: str) -> bytes:
    """The poster as a file: `kind` is ".png", ".svg" or ".pdf"."""
    sheet = laid_out(info)
    return png_of(sheet.page, sheet.fonts) if kind == ".png" else vector_of(sheet.page, kind)


def laid_out(info: Overview) -> Lettered:
    """The sheet with all that stands on it."""
    sheet = Lettered(WIDTH, HEIGHT, fonts_for(_texts(info)))
    top = _header(sheet, info)
    sheet.write(_EDGE, HEIGHT - _EDGE, sheet.fitted(info.footer, _INNER - 1, 7), 7, color=_FAINT)
    sheet.write(WIDTH - _EDGE, HEIGHT - _EDGE, "danlu", 7, color=_FAINT, align="right")
    bottom = _findings(sheet, info, HEIGHT - _EDGE - 0.1)
    bottom = _samples(sheet, info, bottom)
    _body(sheet, info, top, bottom)
    return sheet


def _header(sheet: Lettered, info: Overview) -> float:
    """Name, how far it is, settings, and the scores as large numbers; where the rest begins."""
    y = _EDGE - 0.1
    sheet.write(_EDGE, y, sheet.fitted(info.title, _INNER, 16, bold=True), 16, bold=True)
    y = sheet.paragraph(_EDGE, y + 0.32, info.facts, _INNER, 8.5, 1)
    y = sheet.paragraph(_EDGE, y + 0.03, info.settings, _INNER, 7, 3, color=_FAINT) + 0.08
    if not info.tiles:
        return y
    width = (_INNER - 0.1 * (len(info.tiles) - 1)) / max(3, len(info.tiles))
    for place, tile in enumerate(info.tiles):
        x = _EDGE + place * (width + 0.1)
        sheet.add(Rectangle((x, y, x + width, y + 0.68), "#F4F5F6", rounding=0.06))
        name = f"{info.part} · {tile.name}"
        sheet.write(x + 0.09, y + 0.05, sheet.fitted(name, width - 0.18, 7), 7, color=_FAINT)
        sheet.write(x + 0.09, y + 0.18, sheet.fitted(tile.value, width - 0.18, 15, bold=True), 15, bold=True)
        size = next(
            (one for one in _OTHERS if sheet.fitted(tile.others, width - 0.18, one) == tile.others), _OTHERS[-1]
        )
        sheet.write(x + 0.09, y + 0.5, sheet.fitted(tile.others, width - 0.18, size), size, color=_FAINT)
    return y + 0.68 + 0.16


def _findings(sheet: Lettered, info: Overview, bottom: float) -> float:
    """The findings above `bottom`, the gravest whole and as many as have room; where they begin."""
    shown: list[tuple[OverviewFinding, list[str], list[str]]] = []
    height = _TITLE_HEIGHT
    for one in info.findings:
        title = sheet.folded(one.title, _INNER - 0.3, 7.5, 3)
        told = say("figure.overview-remedy", remedy=one.remedy) if one.remedy else ""
        remedy = sheet.folded(told, _INNER - 0.3, 7.5, 2) if told else []
        more = 0.06 + line_height(8) + line_height(7.5) * len([*title, *remedy])
        if height + more > _MOST_FINDINGS_HEIGHT - line_height(7.5):
            break
        shown.append((one, title, remedy))
        height += more
    left = len(info.findings) - len(shown)
    height += line_height(7.5) if left or not shown else 0.0
    y = top = bottom - height
    sheet.write(_EDGE, y, say("page.findings"), _TITLE, bold=True)
    y += _TITLE_HEIGHT
    for one, title, remedy in shown:
        color = LIGHT[SEVERITY[one.severity]]
        low = y + line_height(8) + line_height(7.5) * len([*title, *remedy]) - 0.02
        sheet.add(Rectangle((_EDGE, y, _EDGE + 0.035, low), color))
        head = sheet.fitted(f"{one.number} · {one.head}", _INNER - 0.3, 8, bold=True)
        sheet.write(_EDGE + 0.12, y, head, 8, bold=True, color=color)
        y += line_height(8)
        for line in [*title, *remedy]:
            sheet.write(_EDGE + 0.12, y, line, 7.5, color="" if line in title else _FAINT)
            y += line_height(7.5)
        y += 0.06
    if not info.findings:
        sheet.write(_EDGE, y, say("page.no-findings"), 7.5, color=_FAINT)
    elif left:
        sheet.write(_EDGE, y, say("figure.overview-findings", count=left), 7.5, color=_FAINT)
    return top - 0.14


def _samples(sheet: Lettered, info: Overview, bottom: float) -> float:
    """The samples with the largest loss above `bottom`; where they begin."""
    if not info.samples:
        return bottom
    seen = [one for one in info.samples if one.png][:_PICTURES]
    if seen:
        return _pictures(sheet, info.samples_title, seen, bottom)
    rows = info.samples[:_MOST_ROWS]
    y = top = bottom - _TITLE_HEIGHT - line_height(7.5) * len(rows)
    sheet.write(_EDGE, y, info.samples_title, _TITLE, bold=True)
    y += _TITLE_HEIGHT
    for one in rows:
        sheet.write(_EDGE, y, sheet.fitted(" · ".join((one.title, *reversed(one.lines))), _INNER, 7.5), 7.5)
        y += line_height(7.5)
    return top - 0.14


def _pictures(sheet: Lettered, title: str, seen: Sequence[Picture], bottom: float) -> float:
    column = (_INNER + 0.14) / _PICTURES
    side = column - 0.14
    captions = [
        [line for text in (one.title, *one.lines) for line in sheet.folded(text, side, _CAPTION, 2)][:_CAPTION_LINES]
        for one in seen
    ]
    words = line_height(_CAPTION) * max(map(len, captions))
    y = bottom - _TITLE_HEIGHT - side - 0.05 - words
    sheet.write(_EDGE, y, title, _TITLE, bold=True)
    for place, (one, lines) in enumerate(zip(seen, captions, strict=True)):
        x, top = _EDGE + place * column, y + _TITLE_HEIGHT
        pixels = pixels_of(one.png)
        width, height = (side * size / max(pixels.size) for size in pixels.size)
        left, upper = x + (side - width) / 2, top + side - height
        sheet.add(Bitmap((left, upper, left + width, upper + height), pixels))
        for number, line in enumerate(lines):
            sheet.write(
                x + side / 2, top + side + 0.05 + number * line_height(_CAPTION), line, _CAPTION, align="center"
            )
    return y - 0.14


def _body(sheet: Lettered, info: Overview, top: float, bottom: float) -> None:
    """Curves on the left; on the right the answers, what was written, and the net."""
    right = bool(info.answers or info.layers or info.texts)
    end = WIDTH - _EDGE - (_RIGHT + _BETWEEN if right else 0)
    _curves(sheet, info.curves, (_EDGE, top, end, bottom))
    if not right:
        return
    left, y = end + _BETWEEN, top
    for when, text in info.texts:
        sheet.write(left, y, sheet.fitted(when, _RIGHT, _TITLE, bold=True), _TITLE, bold=True)
        y = sheet.paragraph(left, y + _TITLE_HEIGHT, text, _RIGHT, 7.5, 9) + 0.12
    least, most = (_TITLE_HEIGHT + height * len(info.layers) if info.layers else 0.0 for height in _LAYER_HEIGHT)
    for place, answer in enumerate(info.answers):
        # The first may press the net together, the others have what is left over.
        room = bottom - y - (most if place else least) - 0.12
        if room < _ANSWER_HEIGHT[0]:
            break
        y = _answer(sheet, answer, (left, y, WIDTH - _EDGE, y + min(room, _ANSWER_HEIGHT[1]))) + 0.12
    if info.layers:
        _net(sheet, info, (left, y, WIDTH - _EDGE, bottom))


def _answer(sheet: Lettered, answer: OverviewPicture, region: Region) -> float:
    left, top, right, bottom = region
    sheet.write(left, top, sheet.fitted(answer.title, right - left, _TITLE, bold=True), _TITLE, bold=True)
    notes = [line for note in answer.notes for line in sheet.folded(note, right - left, 6.5, 2)]
    low = bottom - line_height(6.5) * len(notes) - (0.04 if notes else 0)
    place = placed(sheet, answer.panel, (left, top + _TITLE_HEIGHT, right, low))
    sheet.page.panels.append(panel_marks(sheet, place))
    for place, line in enumerate(notes):
        sheet.write(left, low + 0.04 + place * line_height(6.5), line, 6.5, color=_FAINT)
    return bottom


def _curves(sheet: Lettered, panels: Sequence[Panel], region: Region) -> None:
    """Panels under each other, their left edges in one line."""
    left, y, right, bottom = region
    room = (bottom - y) / sum(panel.height for panel in panels)
    made: list[PlacedPanel] = []
    for panel in panels:
        below = y + room * panel.height
        made.append(placed(sheet, panel, (left, y, right, below - 0.07), panels))
        y = below
    edge, end = max(one.inner[0] for one in made), min(one.inner[2] for one in made)
    for one in made:
        inner = (edge, one.inner[1], end, one.inner[3])
        sheet.page.panels.append(panel_marks(sheet, dataclasses.replace(one, inner=inner)))


def _net(sheet: Lettered, info: Overview, region: Region) -> None:
    """The net as a column of boxes from its input down."""
    left, top, right, bottom = region
    sheet.write(right, top + 0.03, info.net_size, 7, color=_FAINT, align="right")
    sheet.write(left, top, sheet.fitted(info.net_title, right - left - 1.2, _TITLE, bold=True), _TITLE, bold=True)
    least, most = _LAYER_HEIGHT
    step = min(most, (bottom - top - _TITLE_HEIGHT) / len(info.layers))
    rows = info.layers if step >= least else info.layers[: int((bottom - top - _TITLE_HEIGHT) / least)]
    y = top + _TITLE_HEIGHT
    for layer in rows:
        _layer(sheet, layer, (left, y, right, y + max(step, least) - 0.03))
        y += max(step, least)


def _layer(sheet: Lettered, layer: OverviewLayer, region: Region) -> None:
    left, top, right, bottom = region
    sheet.add(Rectangle(region, FILL[layer.role], BORDER[layer.role], rounding=0.03))
    two = bottom - top > _TWO_LINES - 0.03
    lines = [layer.title, layer.detail] if two and layer.detail else [layer.title]
    y = (top + bottom) / 2 - line_height(7) * len(lines) / 2
    x, width = right - 0.06, right - left
    for text, room in ((layer.parameters, 0.48), (layer.shape, 0.66)):
        sheet.write(x, y, sheet.fitted(text, room, 6.5), 6.5, color=_FAINT, align="right")
        x -= room + 0.05
    beside = 0.27 * width if layer.detail and not two else x - left - 0.06
    sheet.write(left + 0.06, y, sheet.fitted(layer.title, beside, 7, bold=True), 7, bold=True)
    if two:
        sheet.write(left + 0.06, y + line_height(7), sheet.fitted(layer.detail, width - 0.12, 6.5), 6.5)
    else:
        start = left + 0.1 + beside
        sheet.write(start, y, sheet.fitted(layer.detail, x - start, 6.5), 6.5)


def _texts(info: Overview) -> Iterator[str]:
    """All that is written on the poster, to know which signs the font must have."""
    yield say("page.findings")
    yield from _strings(info)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _strings(getattr(value, field.name))
    elif isinstance(value, list | tuple) and value and not isinstance(value[0], int | float):
        for entry in value:
            yield from _strings(entry)
