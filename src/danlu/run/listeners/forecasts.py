"""What a net forecast on the test part of a time series, gathered as it is scored, and the naive forecasts beside."""

import math

import torch
from torch import Tensor

from danlu.base.errors import Fault
from danlu.base.records import Score
from danlu.data import Dataset
from danlu.data.series.dataset import SeriesDataset
from danlu.run.listeners.prediction_collector import PredictionCollector
from danlu.store.records import ForecastLine, ForecastMade
from danlu.train.metrics import Metrics
from danlu.train.predictions import predicted

_MOST_SERIES = 4  # that are drawn
_MOST_VALUES = 400


def collector_of(data: Dataset, part: str) -> PredictionCollector:
    """What gathers the answers of a net on a part of the data."""
    return ForecastCollector(data, part) if isinstance(data, SeriesDataset) else PredictionCollector(data, part)


class ForecastCollector(PredictionCollector):
    """The collector of a time series: of one step ahead as of any regression, and of any number all forecasts."""

    def __init__(self, data: SeriesDataset, part: str) -> None:
        super().__init__(data, part)
        self._series = data
        self._of = part
        self._forecasts: list[Tensor] = []

    @property
    def wanted(self) -> bool:
        return True

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        if super().wanted:
            super().add(outputs, targets)
        answers = self._series.decode(predicted(outputs, "regression", self._series.outputs))
        self._forecasts.append(torch.as_tensor(answers, dtype=torch.float64).reshape(len(outputs), -1))

    def forecast(self) -> ForecastMade | None:
        """The record for the journal; None where nothing was gathered."""
        if not self._forecasts:
            return None
        data, part, found = self._series, self._of, torch.cat(self._forecasts)
        steps, truth, naive = data.outputs, data.truth(part), data.naive(part)
        times = data.shown_times(part, steps)
        lines: list[ForecastLine] = []
        for name, every in list(data.by_series(part))[:_MOST_SERIES]:
            rows = every[-_MOST_VALUES:]
            lines.append(
                ForecastLine(
                    name=name,
                    times=[times[row] for row in rows.tolist()],
                    actual=truth[rows, -1].tolist(),
                    predicted=found[rows, -1].tolist(),
                    naive={way: values[rows, -1].tolist() for way, values in naive.items()},
                )
            )
        baselines = {way: _score(values, truth, data) for way, values in naive.items()}
        return ForecastMade(part=part, steps=steps, season=data.season, baselines=baselines, lines=tuple(lines))


def _score(answers: Tensor, truth: Tensor, data: SeriesDataset) -> Score:
    metrics = Metrics("regression", data.outputs, naive=data.naive_error)
    metrics.update(answers, truth)
    return metrics.compute(math.nan)


def below_naive(made: ForecastMade, score: Score | None) -> Fault | None:
    """What is to be said where a naive forecast has the smaller error."""
    best = min(made.baselines, key=lambda way: made.baselines[way]["mae"])
    naive, own = made.baselines[best]["mae"], (score or {}).get("mae", math.nan)
    if own < naive:
        return None
    return Fault(f"lab.forecast-below-{best}", {"own": f"{own:.4g}", "naive": f"{naive:.4g}"})
