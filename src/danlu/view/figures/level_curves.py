"""A study's learning curves: for each level of a factor the mean of its trainings, with its interval as a band."""

from collections.abc import Sequence
from dataclasses import replace

from danlu.base.metric_names import metric_bounds, metric_name, within_bounds
from danlu.base.words import say
from danlu.view.figures.chart import Axis, Band, Chart, Line, Mark, Numbers, Panel, Points
from danlu.view.info.bands import CurveBand
from danlu.view.info.effects import setting_text
from danlu.view.info.level_curves import FactorCurves, LevelCurve
from danlu.view.palette import SERIES, SHAPES

_COLORS = (*SERIES, "ink")
_WIDE_RANGE = 100  # a curve that falls further is read on a scale of powers of ten
_MOST_MARKED = 30  # points of a curve that are marked one by one
_MOST_SINGLES = 20  # trainings of a level that are shown one by one
_MOST_NUMBERS = 30_000  # of such trainings, in one picture


def level_curves_chart(curves: FactorCurves, metric: str) -> Chart:
    """Training loss over validation loss over the study's metric, as far as they were measured."""
    shown = _spread(curves.levels)
    told = [("loss", say("figure.training-loss"), [(one.level, one.train) for one in shown])]
    for name in dict.fromkeys(("loss", metric)):
        bands = [(one.level, one.validation.get(name, CurveBand())) for one in shown]
        if any(len(band) for _, band in bands):
            told.append((name, f"{say('page.part-validation')} · {metric_name(name)}", bands))
    points = sum(len(band) for _, _, bands in told for _, band in bands)
    singles = min(_MOST_SINGLES, _MOST_NUMBERS // max(1, points))
    panels = [_panel(bands, name, label, singles, named=not at) for at, (name, label, bands) in enumerate(told)]
    panels[-1] = replace(panels[-1], x=Axis(say("figure.epoch")))
    notes = [say("figure.level-band")]
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


def _panel(bands: Sequence[tuple[str, CurveBand]], metric: str, label: str, singles: int, *, named: bool) -> Panel:
    values = [value for _, band in bands for row in band.singles for value in row if value is not None]
    wide = bool(values) and min(values) > 0 and max(values) > _WIDE_RANGE * min(values)
    marks: list[Mark] = []
    for index, (level, band) in enumerate(bands):
        if not len(band):
            continue
        color = _COLORS[index]
        marks.append(band_mark(band.places, band.low, band.high, color, metric, floor_of(metric, values, wide=wide)))
        shown = spaced(band.singles, singles)
        marks.append(Line(band.places, band.mean, color, level if named else "", singles=shown))
        if len(band) <= _MOST_MARKED:
            marks.append(Points(band.places, band.mean, color, shape=SHAPES[index % len(SHAPES)], size=4))
    least, most = metric_bounds(metric)
    y = Axis(label, log=wide, least=least, most=most)
    return Panel(Axis(), y, marks, height=1.3 if named else 1.0, shares_x="epoch")


def band_mark(xs: Numbers, lows: Numbers, highs: Numbers, color: str, metric: str, floor: float | None) -> Band:
    """An interval as a band, within the bounds of its metric, and not below `floor`, where there is one."""

    def low(value: float | None) -> float | None:
        value = within_bounds(metric, value)
        return value if value is None or floor is None else max(value, floor)

    return Band(xs, [low(value) for value in lows], [within_bounds(metric, value) for value in highs], color)


def floor_of(metric: str, values: Sequence[float], *, wide: bool) -> float | None:
    """Below what no band of the means of `values` is drawn: a scale of powers of ten has no place for 0, and where no
    training ever had a loss below 0 the interval of their mean need not reach there."""
    if wide:
        return min(values)
    return 0.0 if metric == "loss" and values and min(values) >= 0 else None


def spaced(rows: Sequence[Numbers], most: int) -> Sequence[Numbers]:
    """At most so many of the rows, evenly chosen."""
    if len(rows) <= most:
        return rows
    return [rows[at * len(rows) // most] for at in range(most)]
