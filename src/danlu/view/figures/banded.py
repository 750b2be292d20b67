"""Runs that differ in nothing but seed and fold as one curve each: their mean, with its interval as a band."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from danlu.base.metric_names import metric_bounds, metric_name
from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, Line, Mark, Panel, Points
from danlu.view.figures.curves import axis_label, is_wide
from danlu.view.figures.folding import same_scores
from danlu.view.figures.level_curves import band_mark, floor_of, spaced
from danlu.view.info.bands import curve_band
from danlu.view.info.curves import Curves, RunCurves
from danlu.view.info.groups import RepeatedRuns
from danlu.view.info.thin import ThinnedCurve
from danlu.view.palette import SHAPES, series_color

_MOST_METRICS = 3
_MOST_MARKED = 30  # points of a curve that are marked one by one
_MOST_SINGLES = 20  # runs of a group that are shown one by one
_PLACES = 200  # of a mean over many steps
_Part = Callable[[RunCurves], ThinnedCurve]


def banded_chart(info: Curves, groups: Sequence[RepeatedRuns]) -> Chart:
    """A line and a band for each group: training loss over the scores on the validation part."""
    parts: list[tuple[str, str, _Part]] = [("loss", say("figure.training-loss"), lambda run: run.smoothed)]
    metrics, same = same_scores(info)
    for name in ("loss", *metrics[:_MOST_METRICS]):
        if any(name in run.validation for run in info.runs):
            label = f"{say('page.part-validation')} · {metric_name(name)}"
            parts.append((name, label, lambda run, name=name: run.validation.get(name, ThinnedCurve())))
    panels = [_panel(info, groups, part, named=not at) for at, part in enumerate(parts)]
    panels[-1] = replace(panels[-1], x=Axis(axis_label(info)))
    return Chart("curves", say("figure.curves"), panels, [say("figure.group-band"), *same])


def _panel(info: Curves, groups: Sequence[RepeatedRuns], part: tuple[str, str, _Part], *, named: bool) -> Panel:
    metric, label, of = part
    traces = [of(run) for run in info.runs]
    values = [value for trace in traces for value in trace.values if value is not None]
    wide = is_wide(traces)
    marks: list[Mark] = []
    for index, group in enumerate(groups):
        band = curve_band([traces[at] for at in group.places], group.folds, _PLACES)
        if not len(band):
            continue
        color = series_color(index)
        marks.append(band_mark(band.places, band.low, band.high, color, metric, floor_of(metric, values, wide=wide)))
        singles = spaced(band.singles, _MOST_SINGLES) if len(group.places) > 1 else ()
        marks.append(Line(band.places, band.mean, color, group.label if named else "", singles=singles))
        if len(band) <= _MOST_MARKED:
            marks.append(Points(band.places, band.mean, color, shape=SHAPES[index % len(SHAPES)], size=4))
    least, most = metric_bounds(metric)
    y = Axis(label, log=wide, least=least, most=most)
    return Panel(Axis(), y, marks, height=1.3 if named else 1.0, shares_x=info.axis)
