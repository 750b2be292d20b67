"""The forecasts that a net has to beat: the last value, and that of a season ago; and how long a season is."""

from collections.abc import Sequence
from typing import Any

import numpy

from danlu.data.series.order import Stretch

Array = numpy.ndarray[Any, Any]

# The autocorrelation that a season must have: random walks, which have none, reach it once or twice in a hundred times.
_LEAST_CORRELATION = 0.3
_LEAST_SEASONS = 3  # within the longest series
_NEAR = 0.05
_FEWEST = 8
_MOST_MISSING = 4  # times what is there


class Values:
    """The target of all series, by series and place in steps."""

    def __init__(self, stretches: Sequence[Stretch], values: Array) -> None:
        self._places: dict[int, Array] = {}
        self._values: dict[int, Array] = {}
        for number in {stretch.series for stretch in stretches}:
            own = [stretch for stretch in stretches if stretch.series == number]
            self._places[number] = numpy.concatenate([stretch.places for stretch in own])
            self._values[number] = values[numpy.concatenate([stretch.rows for stretch in own])]

    def at(self, series: int, places: Array) -> Array:
        """The target of one series at some places, NaN where there is no row: float64, in the shape of `places`."""
        known, values = self._places[series], self._values[series]
        found = numpy.searchsorted(known, places).clip(max=len(known) - 1)
        return numpy.where(known[found] == places, values[found], numpy.nan)


def season_of(series: Sequence[Array], natural: Sequence[int] = ()) -> int:
    """After how many steps the series begin anew: where the autocorrelation, without a straight trend, is greatest
    after it first fell below 0; 1 where it nowhere reaches 0.3. A length of about one of `natural` is that one.

    >>> season_of([numpy.sin(numpy.arange(60.0) * numpy.pi / 6)])
    12
    """
    most = max(map(len, series), default=0) // _LEAST_SEASONS
    if most < 2:
        return 1
    correlation = _autocorrelation(series, most + 2)
    below = numpy.flatnonzero(correlation <= 0)
    if not len(below) or below[0] > most:
        return 1
    found = int(below[0] + correlation[below[0] : most + 1].argmax())
    if correlation[found] < _LEAST_CORRELATION or correlation[found] < correlation[found + 1]:
        return 1
    return next((length for length in natural if abs(found - length) <= _NEAR * length and length <= most), found)


def _autocorrelation(series: Sequence[Array], lags: int) -> Array:
    """The mean over the series, each counted by its length."""
    total, weight = numpy.zeros(lags), 0
    for values in series:
        count = len(values)
        steps = numpy.arange(count, dtype=numpy.float64)
        rest = values - numpy.polyval(numpy.polyfit(steps, values, 1), steps) if count >= _FEWEST else values[:0]
        if not rest.any():
            continue
        spectrum = numpy.fft.rfft(rest, 2 * count)
        found = numpy.fft.irfft(spectrum * spectrum.conj())[: min(count, lags)]
        total[: len(found)] += count * found / found[0]
        weight += count
    return total / max(1, weight)


def filled(places: Array, values: Array) -> Array:
    """Values at ascending places, evenly spaced, with straight lines over what is missing between; as they are where
    most is missing.
    """
    if places[-1] - places[0] > _MOST_MISSING * len(places):
        return values
    return numpy.interp(numpy.arange(places[0], places[-1] + 1), places, values)


def naive_error(stretches: Sequence[Stretch], values: Array, season: int) -> float | None:
    """The mean absolute error of saying what was `season` steps ago; None where no step is so far behind another."""
    known, errors = Values(stretches, values), list[Array]()
    for stretch in stretches:
        errors.append(numpy.abs(values[stretch.rows] - known.at(stretch.series, stretch.places - season)))
    every = numpy.concatenate(errors) if errors else numpy.empty(0)
    every = every[~numpy.isnan(every)]
    return float(every.mean()) if len(every) else None


def seasonal_forecast(known: Values, series: Array, places: Array, horizon: int, season: int) -> Array:
    """What was `season` steps before each of the `horizon` steps behind windows that end at `places` of their series:
    float64 [N, horizon]; of more than a season ahead it is the same season again. NaN where it is not known.
    """
    ahead = numpy.arange(1, horizon + 1)
    back = ahead - season * -(-ahead // season)
    found = numpy.full((len(places), horizon), numpy.nan)
    for number in numpy.unique(series).tolist():
        own = series == number
        found[own] = known.at(number, places[own, None] + back)
    return found
