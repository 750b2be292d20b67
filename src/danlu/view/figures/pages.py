"""Which pictures belong to a run and to a study, in the order in which they are read."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from danlu.base.words import say
from danlu.view.figures.banded import banded_chart
from danlu.view.figures.chart import Chart
from danlu.view.figures.curves import curves_chart
from danlu.view.figures.effects import folds_chart, forest_chart, means_chart, slopes_chart, sweep_chart
from danlu.view.figures.flow import flow_chart
from danlu.view.figures.forecast import forecast_chart
from danlu.view.figures.level_curves import level_curves_chart
from danlu.view.figures.moments import followed_chart
from danlu.view.figures.predictions import calibration_chart, confusion_chart, residuals_chart, worst_chart
from danlu.view.figures.search import search_charts
from danlu.view.figures.surface import contour_chart, surface_chart
from danlu.view.figures.time_spent import time_chart
from danlu.view.graphs.layout import lay_out
from danlu.view.graphs.net import net_diagram
from danlu.view.graphs.scene import Scene
from danlu.view.info.curves import CurveQuery, Curves, curves
from danlu.view.info.effects import EffectRow, best_first, folds, forest, level_text, pairs, sweep
from danlu.view.info.flow import flow
from danlu.view.info.forecast import forecast
from danlu.view.info.groups import are_repeated, groups_of
from danlu.view.info.level_curves import factor_curves
from danlu.view.info.predictions import Predictions, predictions
from danlu.view.info.run import RunInfo
from danlu.view.info.study import REMEDY, StudyInfo
from danlu.view.info.surface import read_surface
from danlu.view.info.time_spent import time_spent

_MOST_PAIRED = 6
_MOST_CROSSED = 3  # pairs of factors
_MOST_CURVES = 5  # of remedies
_MOST_COMPARED = 7  # as many as there are colours


def run_charts(info: RunInfo, most: int) -> list[Chart]:
    """Curves, signal flow and predictions of a run, as far as it recorded them; curves of at most `most` points."""
    charts = [compared_chart([info], CurveQuery(most=most))]
    if info.history.layers:
        signal = flow(info.history.layers)
        if signal.grids:
            charts += drawable(lambda: [flow_chart(signal)])
    if info.history.surface is not None:
        surface = read_surface(info.history.surface)
        charts += drawable(lambda: [surface_chart(surface), contour_chart(surface)])
    if (made := info.history.forecast) is not None and made.lines:
        charts += drawable(lambda: [forecast_chart(forecast(made))])
    for told in read_predictions(info):
        charts += drawable(lambda told=told: _prediction_charts(told))
    if found := info.followed:
        charts += drawable(lambda: [followed_chart(found)])
    if spent := time_spent(info.history.time):
        charts += drawable(lambda: [time_chart(spent)])
    return charts


def drawable(make: Callable[[], list[Chart]]) -> list[Chart]:
    """The charts; none where a record holds numbers of which no picture can be made, such as counts below 0."""
    try:
        return make()
    except Exception:  # noqa: BLE001  (the rest of the run is shown all the same)
        return []


def study_charts(info: StudyInfo) -> list[Chart]:
    """The effects first, then the means by two factors, each factor's learning curves and sweep, the pairs behind each
    effect, and the folds. Of remedies only the effects and their curves: they are no scale, and each pair is one of the
    effects' own. A search has pictures of its own."""
    if info.ranges:
        return search_charts(info)
    effects = forest(info.effects)
    if info.cure is not None:
        effects = best_first(effects)
        curves = factor_curves(info.curves, _foremost(info, effects), REMEDY)
        charts = [forest_chart(effects, remedies=True)] if effects else []
        if curves.levels:
            charts.append(replace(level_curves_chart(curves, info.metric), title=say("figure.remedy-curves")))
        return charts
    charts = [forest_chart(effects)] if effects else []
    charts += [means_chart(table) for table in info.interactions[:_MOST_CROSSED] if effects]
    for factor in info.factors:
        found = factor_curves(info.curves, info.factors, factor)
        if found.levels:
            charts.append(level_curves_chart(found, info.metric))
    return charts + _sweeps(info) + _pairs(info, effects) + _folds(info)


def _foremost(info: StudyInfo, effects: Sequence[EffectRow]) -> dict[str, list[Any]]:
    """The recipe as it is, and the remedies that do best: as many as a picture of curves is read with."""
    texts = [effect.after for effect in effects[:_MOST_CURVES]]
    levels = info.factors[REMEDY]
    return {REMEDY: [*levels[:1], *(level for level in levels[1:] if level_text(level) in texts)]}


def _sweeps(info: StudyInfo) -> list[Chart]:
    found = [sweep(info.members, factor, info.metric) for factor in info.factors if info.members]
    return [sweep_chart(swept) for swept in found if len(swept.levels) > 2 or swept.numeric]


def _pairs(info: StudyInfo, effects: Sequence[EffectRow]) -> list[Chart]:
    charts: list[Chart] = []
    for effect in effects[:_MOST_PAIRED]:
        paired = pairs(info.members, effect.factor, effect.before, effect.after, effect.metric)
        if paired:
            charts.append(slopes_chart(paired, effect))
    return charts


def _folds(info: StudyInfo) -> list[Chart]:
    by_fold = list(folds(info.members, info.metric).items())
    return [folds_chart(dict(by_fold[:_MOST_COMPARED]), info.metric)] if by_fold else []


def compared_chart(infos: Sequence[RunInfo], wanted: CurveQuery | None = None, *, banded: bool | None = None) -> Chart:
    """The curves of one run, or of several over each other; where `banded`, or, if nobody says how, where several
    differ in nothing but seed and fold, their means with intervals."""
    groups = groups_of(infos)
    if are_repeated(groups) if banded is None else banded:
        return banded_chart(_curves(infos, wanted), groups[:_MOST_COMPARED])
    return curves_chart(_curves(infos[:_MOST_COMPARED], wanted))


def _curves(infos: Sequence[RunInfo], wanted: CurveQuery | None) -> Curves:
    labels = [info.name for info in infos]
    # Runs of one name, from different folders, are told apart by a number.
    labels = [
        f"{name} ({labels[: at + 1].count(name)})" if name in labels[:at] else name for at, name in enumerate(labels)
    ]
    return curves({label: info.drawn for label, info in zip(labels, infos, strict=True)}, wanted)


def read_predictions(info: RunInfo) -> list[Predictions]:
    """The predictions, those on the test part first; none of outputs that were no numbers."""
    found = [one for one in map(predictions, info.history.predictions) if not one.broken]
    return sorted(found, key=lambda told: told.part != "test")


def net_scene(info: RunInfo) -> Scene | None:
    """The run's net as a drawing, where it was recorded."""
    return None if info.history.net is None else lay_out(net_diagram(info.history.net))


def _prediction_charts(told: Predictions) -> list[Chart]:
    charts: list[Chart] = []
    if told.confusion:
        charts.append(confusion_chart(told.confusion, told.worst))
    if told.calibration:
        charts.append(calibration_chart(told.calibration))
    if told.residuals:
        charts.append(residuals_chart(told.residuals))
    if told.worst:
        charts.append(worst_chart(told.worst, numbers=told.residuals is not None))
    return charts
