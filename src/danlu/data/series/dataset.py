"""Windows of time series as a data set: besides the samples, the naive forecasts that a net has to beat."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.data.memory import MemoryDataset
from danlu.data.series.encoder import WindowEncoder
from danlu.data.targets import Quantities

LAST_VALUE, SEASONAL = "last-value", "seasonal-naive"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SeriesDataset(MemoryDataset):
    """`x` is [N, window, features], the target's own past first among the features, `y` its next values [N, horizon].

    In the target's unit `past` is what it was at each window's end, [N], and `seasonal` what it was a `season` before
    each value that is forecast, [N, horizon]. `times` are those of the values, [N, horizon], and `series` the number
    of each window's in `series_names`, [N]. All in the order of `x`.
    """

    season: int
    past: Tensor
    seasonal: Tensor
    times: Tensor
    series: Tensor
    series_names: tuple[str, ...]

    def naive(self, part: str) -> dict[str, Tensor]:
        """The naive forecasts of a part, in the target's unit: float64 [N, horizon] each. There is a seasonal one
        where a season has more than one step; where a season ago there was no value it says the last one.
        """
        rows = self._rows(part)
        last = self.past[rows, None].expand(-1, self.outputs)
        if self.season == 1:
            return {LAST_VALUE: last}
        seasonal = self.seasonal[rows]
        return {LAST_VALUE: last, SEASONAL: torch.where(seasonal.isnan(), last, seasonal)}

    def truth(self, part: str) -> Tensor:
        """The values that are to be forecast, in the target's unit: float64 [N, horizon]."""
        target = self._quantities()
        scale, mean = (torch.tensor(numbers, dtype=torch.float64) for numbers in (target.scale, target.mean))
        return self.y[self._rows(part)].double() * scale + mean

    def by_series(self, part: str) -> Iterator[tuple[str, Tensor]]:
        """The windows of a part, series by series: its name, "" where there is one, and their numbers in the part."""
        numbers = self.series[self._rows(part)]
        for number in numbers.unique().tolist():
            yield self.series_names[number] if self.series_names else "", (numbers == number).nonzero().flatten()

    def shown_times(self, part: str, step: int) -> list[str]:
        """The times of the values that are `step` steps ahead, from 1, as people write them."""
        assert isinstance(self.encoder, WindowEncoder)
        clock = self.encoder.clock
        return [clock.shown(time) for time in self.times[self._rows(part), step - 1].tolist()]

    def describe(self, part: str, number: int, sample: Tensor) -> str:
        place = self._place(part)[0] + number
        told = [self.series_names[int(self.series[place])]] if self.series_names else []
        told.append(self.shown_times(part, 1)[number])
        if self.lines is not None:
            told.append(f"{PurePath(self.origin.path or self.name).name}:{int(self.lines[place])}")
        return " · ".join(told)

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "season": self.season, "naive_error": self.naive_error}

    def _rows(self, part: str) -> slice:
        first, count = self._place(part)
        return slice(first, first + count)


def targets_named(target: str, horizon: int) -> tuple[str, ...]:
    """What the values of several steps ahead are called; nothing where there is one.

    >>> targets_named("temp", 2), targets_named("temp", 1)
    (('temp+1', 'temp+2'), ())
    """
    return tuple(f"{target}+{step}" for step in range(1, horizon + 1)) if horizon > 1 else ()


def quantities(values: "numpy.ndarray[Any, Any]", mean: float, scale: float, horizon: int, **told: Any) -> Quantities:
    """The target of `horizon` values that are all standardised alike; `values` are those of the training part."""
    low, high = float(values.min()), float(values.max())
    every = {"mean": mean, "scale": scale, "low": low, "high": high}
    return Quantities(**{name: (value,) * horizon for name, value in every.items()}, **told)
