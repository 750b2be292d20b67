"""The loss surface in space and as contours, with the descent and the lowest point."""

import functools
from dataclasses import replace

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, Heatmap, Panel, Points
from danlu.view.figures.names import short
from danlu.view.info.surface import Line, Surface, contour, levels, place_at, spans_powers


def surface_chart(info: Surface) -> Chart:
    """The surface in space."""
    panel = Panel(Axis(info.x_label), Axis(info.y_label), [_field(info, solid=True)], height=2.6)
    return Chart("surface", say("figure.surface"), [panel], _notes(info))


def contour_chart(info: Surface) -> Chart:
    """The surface from above."""
    x = Axis(info.x_label, low=info.xs[0], high=info.xs[-1])
    y = Axis(info.y_label, low=info.ys[0], high=info.ys[-1])
    panel = Panel(x, y, [_field(info, solid=False)], height=2.4)
    return Chart("contour", say("figure.contour"), [panel], _notes(info))


def place_chart(info: Surface, step: int) -> Chart | None:
    """The surface from above with the place of the weights of a step; None where that is not known."""
    place = place_at(info, step)
    if place is None:
        return None
    x, y, kept = place
    chart = contour_chart(info)
    ring = Points([x], [y], "purple", say("figure.weights-then"), "ring", 14)
    panel = replace(chart.panels[0], marks=[*chart.panels[0].marks, ring])
    return replace(chart, panels=[panel], notes=[] if kept else [say("figure.between-checkpoints")])


@functools.lru_cache(4)
def _contours(info: Surface, log: bool) -> tuple[tuple[float, Line], ...]:
    return tuple((level, contour(info, level)) for level in levels(info, log=log))


def _field(info: Surface, *, solid: bool) -> Heatmap:
    # The bowl of a linear model is drawn as the bowl it is; its contour lines are still spaced by ratios.
    log = spans_powers(info.losses) and not (solid and info.exact)
    lines = () if solid else _contours(info, log)
    return Heatmap(
        info.xs,
        info.ys,
        info.losses,
        say("view.metric-loss"),
        log=log,
        contours=lines,
        path=info.path,
        marked=(info.minimum or info.lowest,),
        path_label=say("figure.descent") if info.path else "",
        marked_label=say("figure.minimum"),
        saddles=info.saddles,
        saddles_label=say("figure.saddle") if info.saddles else "",
        solid=solid,
    )


def _notes(info: Surface) -> list[str]:
    x, y, loss = info.minimum or info.lowest
    notes = [say("figure.surface-minimum", x=short(x), y=short(y), loss=short(loss))]
    if info.path:
        x, y, loss = info.path[-1]
        notes.append(say("figure.surface-end", x=short(x), y=short(y), loss=short(loss)))
    if not info.exact:
        notes.append(say("figure.surface-directions"))
    return notes
