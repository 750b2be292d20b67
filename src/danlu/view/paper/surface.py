"""A surface in space on paper, with the path that goes down it."""

import math
from typing import Any

from danlu.view.figures.chart import Heatmap
from danlu.view.figures.scales import color_range
from danlu.view.palette import AMOUNT, LIGHT
from danlu.view.paper.sheet import color_map, scale_of


def draw_solid(axes: Any, mark: Heatmap, x_label: str, y_label: str) -> None:
    """The surface, its path a little above it, and the lowest point; heights by powers of ten where `log`."""

    def height(value: float | None) -> float:
        if value is None:
            return float("nan")
        return math.log10(max(value, 1e-300)) if mark.log else value

    low, high = (height(end) for end in color_range(mark.values, ramp="amount", log=mark.log))
    rows = [list(mark.xs) for _ in mark.ys]
    columns = [[y] * len(mark.xs) for y in mark.ys]
    import numpy

    heights = numpy.array([[height(value) for value in row] for row in mark.values])
    axes.computed_zorder = False
    axes.plot_surface(
        numpy.array(rows), numpy.array(columns), heights, cmap=color_map(AMOUNT), norm=scale_of(low, high, log=False),
        rcount=60, ccount=60, linewidth=0.15, edgecolor="#FFFFFF60", antialiased=True, zorder=1,
    )  # fmt: skip
    lift = 0.01 * (high - low)
    if mark.path:
        xs, ys = [x for x, _, _ in mark.path], [y for _, y, _ in mark.path]
        zs = [height(z) + lift for _, _, z in mark.path]
        axes.plot(xs, ys, zs, color=LIGHT["orange"], linewidth=2, zorder=5, label=mark.path_label or None)
        axes.plot(xs[:1], ys[:1], zs[:1], "o", color="white", markeredgecolor=LIGHT["orange"], zorder=6)
    if mark.marked:
        xs, ys = [x for x, _, _ in mark.marked], [y for _, y, _ in mark.marked]
        zs = [height(z) + lift for _, _, z in mark.marked]
        axes.plot(
            xs, ys, zs, "*", color="white", markeredgecolor="black", markersize=13, zorder=7, linestyle="none",
            label=mark.marked_label or None,
        )  # fmt: skip
    if mark.saddles:
        xs, ys = [x for x, _, _ in mark.saddles], [y for _, y, _ in mark.saddles]
        zs = [height(z) + lift for _, _, z in mark.saddles]
        style = {"color": "white", "markeredgecolor": "black", "markersize": 8, "linestyle": "none"}
        axes.plot(xs, ys, zs, "D", zorder=7, label=mark.saddles_label, **style)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_zlabel(mark.label)
    axes.view_init(elev=42, azim=-62)
    axes.set_box_aspect((1, 1, 0.7), zoom=0.92)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 1))
    if mark.log:
        axes.zaxis.set_major_formatter(_power)
    if mark.path_label or mark.marked_label:
        axes.legend(loc="upper left")


def _power(value: float, _: int) -> str:
    return f"$10^{{{value:g}}}$"
