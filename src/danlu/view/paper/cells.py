"""Heat maps and contours on paper."""

import itertools
from collections.abc import Sequence
from typing import Any

from danlu.view.figures.chart import Cells, Heatmap
from danlu.view.figures.scales import color_range
from danlu.view.palette import AMOUNT, LIGHT, RAMPS, is_dark, ramp
from danlu.view.paper.sheet import color_map, scale_of

_MOST_SIGNS = 100  # that have room beside each other in the cells of a row


def draw_cells(axes: Any, mark: Cells) -> None:
    """A heat map with its colour bar, where that has something to say; rows from the top down."""
    low, high = mark.range or color_range(mark.values, ramp=mark.ramp, log=mark.log)
    edges = _edges([float(x) for x in mark.xs if x is not None])
    rows = [at - 0.5 for at in range(len(mark.values) + 1)]
    colors = color_map(RAMPS[mark.ramp], bare=mark.bare)
    scale = scale_of(low, high, log=mark.log)
    drawn = axes.pcolormesh(edges, rows, _grid(mark.values), cmap=colors, norm=scale, linewidth=0, rasterized=True)
    axes.set_ylim(len(mark.values) - 0.5, -0.5)
    signs = max((len(text) for texts in mark.texts for text in texts), default=0)
    for row, texts in enumerate(mark.texts if signs * len(mark.xs) <= _MOST_SIGNS else ()):
        for x, text, value in zip(mark.xs, texts, mark.values[row], strict=True):
            if not text:
                continue
            dark = value is not None and is_dark(ramp(RAMPS[mark.ramp], float(scale(value))))
            axes.text(x, row, text, ha="center", va="center", fontsize=7.5, color="white" if dark else LIGHT["ink"])
    if mark.label:
        axes.figure.colorbar(drawn, ax=axes, label=mark.label, pad=0.01, aspect=25).outline.set_visible(False)


def draw_field(axes: Any, mark: Heatmap) -> None:
    """Heights as colours with contour lines, and the path over them."""
    low, high = color_range(mark.values, ramp="amount", log=mark.log)
    colors = color_map(AMOUNT)
    scale = scale_of(low, high, log=mark.log)
    grid = _grid(mark.values)
    drawn = axes.pcolormesh(mark.xs, mark.ys, grid, cmap=colors, norm=scale, shading="gouraud", rasterized=True)
    for _, line in mark.contours:
        xs = [float("nan") if x is None else x for x, _ in line]
        ys = [float("nan") if y is None else y for _, y in line]
        axes.plot(xs, ys, color="white", linewidth=0.6, alpha=0.7)
    if mark.path:
        xs, ys = [x for x, _, _ in mark.path], [y for _, y, _ in mark.path]
        axes.plot(xs, ys, color=LIGHT["orange"], linewidth=1.8, label=mark.path_label or None)
        axes.plot(xs[:1], ys[:1], "o", color="white", markeredgecolor=LIGHT["orange"], markersize=6)
        axes.plot(xs[-1:], ys[-1:], "o", color=LIGHT["orange"], markeredgecolor="white", markersize=6)
    if mark.marked:
        xs, ys = [x for x, _, _ in mark.marked], [y for _, y, _ in mark.marked]
        axes.plot(
            xs, ys, "*", color="white", markeredgecolor="black", markersize=12, label=mark.marked_label or None,
        )  # fmt: skip
    if mark.saddles:
        xs, ys = [x for x, _, _ in mark.saddles], [y for _, y, _ in mark.saddles]
        axes.plot(xs, ys, "D", color="white", markeredgecolor="black", markersize=7, label=mark.saddles_label)
    axes.figure.colorbar(drawn, ax=axes, label=mark.label, pad=0.01, aspect=25).outline.set_visible(False)


def _grid(values: Sequence[Sequence[float | None]]) -> list[list[float]]:
    return [[float("nan") if value is None else value for value in row] for row in values]


def _edges(xs: list[float]) -> list[float]:
    """Where the columns at `xs` begin and end; that of a first step or sample not before the beginning of the count."""
    if len(xs) < 2:
        return [xs[0] - 0.5, xs[0] + 0.5] if xs else [0.0, 1.0]
    middles = [(a + b) / 2 for a, b in itertools.pairwise(xs)]
    first = 2 * xs[0] - middles[0]
    return [max(first, 0.5) if xs[0] >= 1 else first, *middles, 2 * xs[-1] - middles[-1]]
