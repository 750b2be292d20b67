"""The picture of a forecast: what came, what the net said, and what the naive forecasts say."""

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, Line, Mark, Panel
from danlu.view.info.forecast import DrawnSeries, Forecast

_TICKS = 6
_COLORS = {"last-value": "green", "seasonal-naive": "sky"}


def forecast_chart(info: Forecast) -> Chart:
    """A panel a series, over the time of its values."""
    panels = [_panel(series, first=not number) for number, series in enumerate(info.series)]
    return Chart("forecast", say("figure.forecast", steps=info.steps), panels)


def _panel(series: DrawnSeries, *, first: bool) -> Panel:
    places = [float(place) for place in range(len(series.times))]
    marks: list[Mark] = [
        Line(places, values, _COLORS.get(way, "grey"), _legend(f"view.baseline-{way}", first), 1.0, "dash", faint=True)
        for way, values in series.naive.items()
    ]
    marks.append(Line(places, series.actual, "ink", _legend("figure.actual", first)))
    marks.append(Line(places, series.predicted, "orange", _legend("figure.forecast-net", first), 1.4))
    every = max(1, -(-len(places) // _TICKS))
    ticks = [(place, series.times[int(place)]) for place in places[::every]]
    return Panel(Axis(ticks=ticks), Axis(), marks, title=series.name, height=1.3)


def _legend(phrase: str, first: bool) -> str:
    """The words for a line in the legend, once for all panels."""
    return say(phrase) if first else ""
