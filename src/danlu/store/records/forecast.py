"""What a net forecast on the test part of a time series, beside the naive forecasts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from danlu.base.records import Score
from danlu.store.records.reading import MalformedRecordError
from danlu.store.records.record import Record


@dataclass(frozen=True, kw_only=True)
class ForecastLine:
    """The newest values of one series, in the order of time, with what was forecast of each. Its `name` is "" where
    there is one; `naive` are the naive forecasts by their names.
    """

    name: str = ""
    times: Sequence[str]
    actual: Sequence[float]
    predicted: Sequence[float]
    naive: Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class ForecastMade(Record):
    """Forecasts of a time series on a part of the data, beside the naive ones.

    part: "test".
    steps: how many steps ahead the listed values were.
    season: steps after which the series begins anew; 1 where it does not.
    baselines: scores by name of "last-value", and of "seasonal-naive" where there is a season.
    lines: of up to four series name, times, actual and predicted values, and the naive ones, in the target's unit.
    """

    kind: ClassVar[str] = "forecast"
    part: str
    steps: int = 1
    season: int = 1
    baselines: Mapping[str, Score] = field(default_factory=dict[str, Score])
    lines: tuple[ForecastLine, ...] = ()

    def check(self) -> None:
        for line in self.lines:
            lengths = {len(values) for values in (line.times, line.actual, line.predicted, *line.naive.values())}
            if len(lengths) != 1:
                raise MalformedRecordError("a forecast's lists must be of one length")
