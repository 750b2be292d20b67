"""The forecasts of a time series' test part, as they are drawn: each series with its values and the naive ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from danlu.store.records import ForecastMade


@dataclass(frozen=True)
class DrawnSeries:
    """One series over the `times` of its values."""

    name: str
    times: tuple[str, ...]
    actual: tuple[float, ...]
    predicted: tuple[float, ...]
    naive: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Forecast:
    """Values that were forecast so many `steps` ahead."""

    steps: int
    series: tuple[DrawnSeries, ...]


def forecast(record: ForecastMade) -> Forecast:
    """The forecast that a record of a journal tells."""
    series = (
        DrawnSeries(line.name, tuple(line.times), tuple(line.actual), tuple(line.predicted), line.naive)
        for line in record.lines
    )
    return Forecast(record.steps, tuple(series))
