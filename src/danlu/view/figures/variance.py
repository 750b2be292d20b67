"""Variances by layer on a scale of powers of ten: a signal that fades or swells is seen as a slope."""

import math

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, GuideLine, Line, Mark, Panel, Points
from danlu.view.figures.names import short
from danlu.view.info.thin import finite
from danlu.view.info.variance import LayerVariances

_SIGNS = 90  # that have room beside each other


def variance_chart(info: LayerVariances) -> Chart:
    """Layers from left to right. What is 0 or not finite has no place on the scale and is told under the picture."""
    places = list(range(len(info.layers)))
    heights = [finite(value) if value > 0 else None for value in info.variances]
    marks: list[Mark] = []
    if info.inputs:
        marks.append(GuideLine(info.inputs, label=say("figure.variance-inputs"), axis="y", dash="dot"))
    marks.append(Line(places, heights, "blue"))
    texts = [f"{layer}: {short(value)}" for layer, value in zip(info.layers, info.variances, strict=True)]
    marks.append(Points(places, heights, "blue", texts=texts))
    room = max(1, _SIGNS // (max(map(len, info.layers)) + 2))
    every = -(-len(places) // room)
    ticks = [(float(at), info.layers[at]) for at in places[::every]]
    panel = Panel(Axis(ticks=ticks), Axis(say("figure.variance-of"), log=True), marks, title=info.name, height=2.0)
    return Chart("variance", say("figure.variance"), [panel], _notes(info))


def _notes(info: LayerVariances) -> list[str]:
    notes = [say(f"figure.variance-{info.source}", samples=info.samples)]
    broken = next((at for at, value in enumerate(info.variances) if not math.isfinite(value)), None)
    constant = next((at for at, value in enumerate(info.variances) if value == 0), None)
    if broken is not None:
        return [*notes, say("figure.variance-overflows", layer=info.layers[broken])]
    if constant is not None:
        return [*notes, say("figure.variance-vanishes", layer=info.layers[constant])]
    if len(info.layers) > 1:
        ratio = short(info.variances[-1] / info.variances[0], 3)
        notes.append(say("figure.variance-ratio", ratio=ratio, first=info.layers[0], last=info.layers[-1]))
    return notes
