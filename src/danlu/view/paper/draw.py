"""A chart on paper: panels under each other, every mark drawn as the page draws it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from danlu.view.figures.chart import (
    Axis,
    Band,
    Bars,
    Cells,
    Chart,
    GuideLine,
    Heatmap,
    Line,
    Mark,
    Panel,
    Pictures,
    Points,
    Whiskers,
    Zone,
)
from danlu.view.palette import LIGHT
from danlu.view.paper.cells import draw_cells, draw_field
from danlu.view.paper.fonts import has_chinese
from danlu.view.paper.images import draw_pictures
from danlu.view.paper.sheet import (
    file_bytes,
    look,
    powers_of_ten,
    refine_ticks,
    sheet,
    title_weight,
    writable,
)
from danlu.view.paper.surface import draw_solid

_WIDTH = 7.2
_PANEL_HEIGHT = 1.9
_SHAPES = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^", "cross": "X", "star": "*", "ring": "o"}
_DASHES = {"solid": "-", "dash": (0, (4, 2)), "dot": (0, (1, 1.5)), "dashdot": (0, (5, 1.5, 1, 1.5))}
_FAINT = 0.35
_BAND = 0.13  # so faint that several can lie over each other
_LEGEND_SIGNS = 88
_BEYOND = 0.02  # of an axis behind the last number there is, so that a mark on it is seen whole


def draw_chart(chart: Chart, kind: str) -> bytes:
    """The chart as a file: `kind` is ".png", ".svg" or ".pdf"."""
    heights = [panel.height * _PANEL_HEIGHT for panel in chart.panels]
    texts = list(_texts(chart))
    with look(texts):
        figure = sheet(_WIDTH, sum(heights) + 0.5 + 0.2 * len(chart.notes))
        grid = figure.add_gridspec(len(chart.panels), 1, height_ratios=heights)
        figure.suptitle(plain_words(chart.title), x=0.01, ha="left", fontsize=11, fontweight=title_weight(texts))
        shared: dict[str, Any] = {}
        for place, panel in zip(grid, chart.panels, strict=True):
            solid = any(isinstance(mark, Heatmap) and mark.solid for mark in panel.marks)
            options = {"projection": "3d"} if solid else {"sharex": shared.get(panel.shares_x)}
            axes = figure.add_subplot(place, **options)
            if panel.shares_x:
                shared.setdefault(panel.shares_x, axes)
            (_draw_solid_panel if solid else _draw_panel)(axes, panel)
        figure.align_ylabels()
        if chart.notes:
            figure.supxlabel(plain_words("\n".join(chart.notes)), x=0.01, ha="left", fontsize=8)
        return file_bytes(figure, kind)


def _draw_solid_panel(axes: Any, panel: Panel) -> None:
    for mark in panel.marks:
        if isinstance(mark, Heatmap):
            draw_solid(axes, mark, panel.x.label, panel.y.label)


def _draw_panel(axes: Any, panel: Panel) -> None:
    """The panel over axes of matplotlib's, labelled and scaled as it says."""
    for mark in panel.marks:
        _DRAWN[type(mark)](axes, mark)
    if any(isinstance(mark, Pictures) for mark in panel.marks):
        return
    _set_axis(axes.xaxis, axes.set_xlim, axes.set_xscale, panel.x)
    if panel.shares_x in ("step", "epoch") and not panel.x.ticks and not panel.x.log:
        axes.xaxis.get_major_locator().set_params(integer=True)
    _set_axis(axes.yaxis, axes.set_ylim, axes.set_yscale, panel.y)
    axes.set_xlabel(plain_words(panel.x.label))
    axes.set_ylabel(plain_words(panel.y.label))
    axes.set_title(plain_words(panel.title))
    if panel.shares_x and not panel.x.label:
        axes.tick_params(labelbottom=False)
    if panel.square:
        axes.set_aspect("equal", adjustable="box")
    if any(isinstance(mark, Cells | Heatmap) for mark in panel.marks):
        axes.grid(visible=False)
        if not panel.y.ticks and panel.y.low is None and any(isinstance(mark, Cells) for mark in panel.marks):
            axes.invert_yaxis()
    labelled, labels = axes.get_legend_handles_labels()
    if labels:
        columns = _columns(labels)
        place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": columns}
        axes.legend(labelled, list(map(plain_words, labels)), **place)


def plain_words(text: str) -> str:
    r"""Words that stand as they are: every sign is in a font in force, and no "$" begins a formula.

    >>> plain_words("$5")
    '\\$5'
    """
    return writable(text).replace("$", r"\$")


def _columns(labels: Sequence[str]) -> int:
    """As many labels beside each other as have room."""
    widest = max(sum(2 if has_chinese(sign) else 1 for sign in label) for label in labels) + 6
    return max(1, min(len(labels), 4, _LEGEND_SIGNS // widest))


def _set_axis(axis: Any, limit: Callable[..., Any], scale: Callable[[str], Any], wanted: Axis) -> None:
    if wanted.log:
        scale("log")
        axis.set_major_formatter(powers_of_ten())
        axis.set_minor_formatter(powers_of_ten())
    if wanted.ticks:
        words = [plain_words(word) for _, word in wanted.ticks]
        axis.set_ticks([place for place, _ in wanted.ticks], words, minor=False)
    if wanted.low is not None or wanted.high is not None:
        limit(wanted.low, wanted.high)
    low, high = axis.get_view_interval()
    if wanted.least is not None and low < wanted.least < high and not wanted.log:
        limit(wanted.least - _BEYOND * (high - wanted.least), None)
    if wanted.most is not None and low < wanted.most < high:
        limit(None, wanted.most + _BEYOND * (wanted.most - low))
    if wanted.log and not wanted.ticks:
        refine_ticks(axis)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _line(axes: Any, mark: Line) -> None:
    axes.plot(
        _numbers(mark.xs),
        _numbers(mark.ys),
        color=LIGHT[mark.color],
        alpha=_FAINT if mark.faint else 1.0,
        drawstyle="steps-post" if mark.stairs else "default",
        linestyle=_DASHES[mark.dash],
        linewidth=mark.width,
        label=mark.label or None,
    )
    for at in _lone(mark.xs, mark.ys):
        axes.plot(mark.xs[at], mark.ys[at], "o", color=LIGHT[mark.color], markersize=2.5 * mark.width)


def _lone(xs: Sequence[float | None], ys: Sequence[float | None]) -> list[int]:
    """Points of a curve without a neighbour, of which no line would show anything."""
    known = [x is not None and y is not None for x, y in zip(xs, ys, strict=True)]
    return [
        at for at, here in enumerate(known) if here and not any(known[max(0, at - 1) : at] + known[at + 1 : at + 2])
    ]


def _points(axes: Any, mark: Points) -> None:
    axes.plot(
        _numbers(mark.xs),
        _numbers(mark.ys),
        color=LIGHT[mark.color],
        alpha=_FAINT if mark.faint else 1.0,
        linestyle="none",
        marker=_SHAPES[mark.shape],
        markersize=mark.size,
        markerfacecolor="none" if mark.shape == "ring" else LIGHT[mark.color],
        markeredgecolor=LIGHT[mark.color] if mark.shape == "ring" else "white",
        markeredgewidth=1.4 if mark.shape == "ring" else 0.5,
        label=mark.label or None,
        zorder=3,
        clip_on=mark.shape not in ("ring", "star"),  # what marks one point is whole at the edge too
    )


def _whiskers(axes: Any, mark: Whiskers) -> None:
    draw = axes.vlines if mark.upright else axes.hlines
    look = {"colors": LIGHT[mark.color], "linewidth": 0.8 * mark.width, "label": mark.label or None}
    draw(_numbers(mark.at), _numbers(mark.lows), _numbers(mark.highs), **look)


def _band(axes: Any, mark: Band) -> None:
    bounds = _numbers(mark.lows), _numbers(mark.highs)
    axes.fill_between(_numbers(mark.xs), *bounds, color=LIGHT[mark.color], alpha=_BAND, linewidth=0)


def _bars(axes: Any, mark: Bars) -> None:
    axes.bar(_numbers(mark.xs), _numbers(mark.heights), mark.width, color=LIGHT[mark.color], label=mark.label or None)


def _zone(axes: Any, mark: Zone) -> None:
    span = axes.axvspan if mark.axis == "x" else axes.axhspan
    span(mark.low, mark.high, color=LIGHT[mark.color], alpha=0.12, linewidth=0, hatch="///", label=mark.label or None)


def _rule(axes: Any, mark: GuideLine) -> None:
    line = axes.axvline if mark.axis == "x" else axes.axhline
    line(mark.at, color=LIGHT[mark.color], linestyle=_DASHES[mark.dash], linewidth=1.1)
    if mark.label and mark.axis == "x":
        place = axes.get_xaxis_transform()
        axes.text(
            mark.at, 0.97, mark.label, transform=place, color="white", fontsize=7.5, ha="center", va="top",
            bbox={"boxstyle": "round,pad=0.25", "facecolor": LIGHT[mark.color], "linewidth": 0},
        )  # fmt: skip
    elif mark.label:
        axes.text(1, mark.at, mark.label, transform=axes.get_yaxis_transform(), fontsize=7.5, ha="right", va="bottom")


_DRAWN: dict[type[Mark], Callable[[Any, Any], None]] = {
    Line: _line,
    Points: _points,
    Whiskers: _whiskers,
    Band: _band,
    Bars: _bars,
    Zone: _zone,
    GuideLine: _rule,
    Cells: draw_cells,
    Heatmap: draw_field,
    Pictures: draw_pictures,
}


def _texts(chart: Chart) -> Iterator[str]:
    """All that is written in a chart, to know which signs the font must have."""
    yield chart.title
    yield from chart.notes
    for panel in chart.panels:
        yield from (panel.title, panel.x.label, panel.y.label)
        yield from (word for axis in (panel.x, panel.y) for _, word in axis.ticks)
        for mark in panel.marks:
            yield getattr(mark, "label", "")
            if isinstance(mark, Pictures):
                yield from (text for picture in mark.pictures for text in (picture.title, *picture.lines))
