"""The loss surface in space and as contours, with the descent and the lowest point."""

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, Heatmap, Panel
from danlu.view.figures.names import short
from danlu.view.info.surface import Surface, contour, levels, spans_powers


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


def _field(info: Surface, *, solid: bool) -> Heatmap:
    # The bowl of a linear model is drawn as the bowl it is; its contour lines are still spaced by ratios.
    log = spans_powers(info.losses) and not (solid and info.exact)
    lines = () if solid else tuple((level, contour(info, level)) for level in levels(info, log=log))
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
