"""An activation and its slope in one picture, with where hardly any gradient gets through shaded."""

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, GuideLine, Line, Mark, Panel, Zone
from danlu.view.figures.names import short
from danlu.view.info.activation import FLAT, ActivationCurve, flat_zones


def activation_chart(info: ActivationCurve) -> Chart:
    """The function as a line, its slope as a dashed one over the same axes."""
    zones = flat_zones(info.xs, info.slopes)
    shown = say("figure.flat-slope", limit=short(FLAT))
    marks: list[Mark] = [Zone(low, high, "amber", "" if at else shown) for at, (low, high) in enumerate(zones)]
    marks += [
        GuideLine(0.0, axis="y", dash="dot"),
        Line(info.xs, info.values, "blue", info.name),
        Line(info.xs, info.slopes, "orange", say("figure.slope"), dash="dash"),
    ]
    x, slope = info.steepest
    panel = Panel(Axis("x", low=info.xs[0], high=info.xs[-1]), Axis(), marks, height=2.2)
    notes = [say("figure.steepest", x=short(x), slope=short(slope), ten=short(slope**10, 3))]
    return Chart("activation", say("figure.activation", name=info.name), [panel], notes)
