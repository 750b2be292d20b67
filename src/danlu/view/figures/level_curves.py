"""A study's learning curves: for each level of a factor the median of its trainings, in a band that holds most."""

from collections.abc import Sequence
from dataclasses import replace

from danlu.base.metric_names import metric_name
from danlu.base.words import say
from danlu.view.figures.chart import Axis, Band, Chart, Line, Mark, Panel, Points
from danlu.view.info.effects import setting_text
from danlu.view.info.level_curves import HIGH, LOW, FactorCurves, LevelBand, LevelCurve
from danlu.view.palette import SERIES, SHAPES

_COLORS = (*SERIES, "ink")
_WIDE_RANGE = 100  # a curve that falls further is read on a scale of powers of ten
_MOST_MARKED = 30  # points of a curve that are marked one by one


def level_curves_chart(curves: FactorCurves, metric: str) -> Chart:
    """Training loss over validation loss over the study's metric, as far as they were measured."""
    shown = _spread(curves.levels)
    panels = [_panel([(one.level, one.train) for one in shown], say("figure.training-loss"), named=True)]
    for name in dict.fromkeys(("loss", metric)):
        bands = [(one.level, one.validation.get(name, LevelBand())) for one in shown]
        if any(len(band) for _, band in bands):
            panels.append(_panel(bands, f"{say('page.part-validation')} · {metric_name(name)}", named=False))
    panels[-1] = replace(panels[-1], x=Axis(say("figure.epoch")))
    notes = [say("figure.level-band", share=HIGH - LOW)]
    if curves.others:
        notes.append(say("figure.at-first-levels", setting=setting_text(curves.others)))
    if len(shown) < len(curves.levels):
        notes.append(say("figure.some-levels", shown=len(shown), count=len(curves.levels)))
    return Chart("curves", say("figure.level-curves", factor=curves.factor), panels, notes)


def _spread(curves: Sequence[LevelCurve]) -> list[LevelCurve]:
    """As many as there are colours: the first, the last, and others evenly between."""
    most = len(_COLORS)
    if len(curves) <= most:
        return list(curves)
    return [curves[round(at * (len(curves) - 1) / (most - 1))] for at in range(most)]


def _panel(bands: Sequence[tuple[str, LevelBand]], label: str, *, named: bool) -> Panel:
    marks: list[Mark] = []
    for index, (level, band) in enumerate(bands):
        if not len(band):
            continue
        color = _COLORS[index]
        marks.append(Band(band.epochs, band.low, band.high, color))
        marks.append(Line(band.epochs, band.middle, color, level if named else ""))
        if len(band) <= _MOST_MARKED:
            marks.append(Points(band.epochs, band.middle, color, shape=SHAPES[index % len(SHAPES)], size=4))
    values = [value for _, band in bands for value in (*band.low, *band.high) if value is not None]
    wide = bool(values) and min(values) > 0 and max(values) > _WIDE_RANGE * min(values)
    return Panel(Axis(), Axis(label, log=wide), marks, height=1.3 if named else 1.0, shares_x="epoch")
