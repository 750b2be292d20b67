"""Which pictures belong to a run, in the order in which they are read."""

from danlu.view.figures.chart import Chart
from danlu.view.figures.curves import curves_chart
from danlu.view.figures.flow import flow_chart
from danlu.view.figures.predictions import calibration_chart, confusion_chart, residuals_chart, worst_chart
from danlu.view.info.curves import curves
from danlu.view.info.flow import flow
from danlu.view.info.predictions import Predictions, predictions
from danlu.view.info.run import RunInfo

_MOST_COMPARED = 7  # as many as there are colours


def run_charts(info: RunInfo, most: int) -> list[Chart]:
    """Curves, signal flow and predictions of a run, as far as it recorded them; curves of at most `most` points."""
    charts = [curves_chart(curves({info.name: info.course}, info.smoothing, most))]
    if info.course.layers:
        signal = flow(info.course.layers)
        if signal.grids:
            charts.append(flow_chart(signal))
    for told in read_predictions(info):
        charts += _prediction_charts(told)
    return charts


def compared_chart(infos: list[RunInfo], most: int) -> Chart:
    """The curves of several runs over each other."""
    shown = infos[:_MOST_COMPARED]
    return curves_chart(curves({info.name: info.course for info in shown}, shown[0].smoothing, most))


def read_predictions(info: RunInfo) -> list[Predictions]:
    """The predictions that can be made sense of, those on the test part first."""
    found: list[Predictions] = []
    for record in info.course.predictions:
        try:
            found.append(predictions(record))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # another danlu's record, or a broken one: the rest of the run is shown all the same
    return sorted(found, key=lambda told: told.part != "test")


def _prediction_charts(told: Predictions) -> list[Chart]:
    charts: list[Chart] = []
    if told.confusion:
        charts.append(confusion_chart(told.confusion))
    if told.calibration:
        charts.append(calibration_chart(told.calibration))
    if told.residuals:
        charts.append(residuals_chart(told.residuals))
    if told.worst:
        charts.append(worst_chart(told.worst))
    return charts
