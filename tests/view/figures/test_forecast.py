"""The picture of a forecast: a panel a series, its naive forecasts behind what came and what was said."""

from danlu.store.records import ForecastLine, ForecastMade
from danlu.view.figures.chart import Line
from danlu.view.figures.forecast import forecast_chart
from danlu.view.info.forecast import forecast


def line(name: str) -> ForecastLine:
    times = [f"2020-{month:02}" for month in range(1, 13)]
    naive = {"last-value": [1.0] * 12, "seasonal-naive": [2.0] * 12}
    return ForecastLine(name=name, times=times, actual=[3.0] * 12, predicted=[4.0] * 12, naive=naive)


def test_every_series_has_a_panel_with_four_lines_and_one_legend() -> None:
    chart = forecast_chart(forecast(ForecastMade(part="test", steps=3, lines=(line("north"), line("south")))))
    assert "3 steps ahead" in chart.title
    assert [panel.title for panel in chart.panels] == ["north", "south"]
    for panel in chart.panels:
        drawn = [mark for mark in panel.marks if isinstance(mark, Line)]
        assert [mark.ys[0] for mark in drawn] == [1, 2, 3, 4]
        assert panel.x.ticks[0] == (0.0, "2020-01")
        assert len(panel.x.ticks) == 6
    legends = [[mark.label for mark in panel.marks if isinstance(mark, Line)] for panel in chart.panels]
    assert legends == [["last value", "a season ago", "actual", "forecast"], ["", "", "", ""]]
