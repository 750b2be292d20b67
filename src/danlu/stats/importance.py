"""How much each setting of a search matters for the order in which its trials came out, with an interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

LEAST_TRIALS = 8
_MOST_TRIALS = 400  # looked at; of more of them as many, evenly
_RESAMPLES = 200
_EXCHANGES = 8
_RIDGE = 0.01
_LEVEL = 0.95


@dataclass(frozen=True)
class Importance:
    """The share of the variance of the trials' order that goes with one setting, alone and together with others (its
    total effect); `low` and `high` are the ends of the bootstrap's 95 % interval, which holds 0 for a setting that is
    not shown to matter."""

    share: float
    low: float
    high: float


def importances(points: Sequence[Sequence[float]], values: Sequence[float]) -> list[Importance]:
    """One for each setting; none for fewer than LEAST_TRIALS trials, or where all came out alike.

    `points` are the trials' settings as shares of their ranges, 0 to 1; `values` what they came to, larger is better,
    -inf where one failed. A quadratic surface is fitted to the ranks of the values in each bootstrap resample; on the
    trials that the resample leaves out, a setting is exchanged between them, and the growth of the squared error is
    twice its total effect (Jansen 1999, https://doi.org/10.1016/S0010-4655(98)00154-4). A fit that says nothing about
    trials which it has not seen finds no effect, so a setting that only seems to matter is not shown.

    >>> grid = [(a / 7, b / 7) for a in range(8) for b in range(8)]
    >>> first, second = importances(grid, [-((a - 0.5) ** 2) for a, _ in grid])
    >>> first.low > 0.5, second.low <= 0 <= second.high
    (True, True)
    """
    every = max(1, math.ceil(len(points) / _MOST_TRIALS))
    places = 2 * numpy.array(points[::every], dtype=float) - 1
    ranks = _ranks(numpy.array(values[::every], dtype=float))
    count = len(ranks)
    if count < LEAST_TRIALS or not ranks.std():
        return []
    ranks = (ranks - ranks.mean()) / ranks.std()
    effects = _left_out_effects(places, ranks)
    low, high = numpy.percentile(effects, (50 * (1 - _LEVEL), 50 * (1 + _LEVEL)), axis=0)
    return [Importance(*map(float, row)) for row in zip(effects.mean(axis=0), low, high, strict=True)]


def _ranks(values: Any) -> Any:
    """The places of the values in their order, of equal ones the mean."""
    _, inverse, counts = numpy.unique(values, return_inverse=True, return_counts=True)
    return (numpy.cumsum(counts) - (counts - 1) / 2)[inverse]


def _left_out_effects(places: Any, ranks: Any) -> Any:
    """The total effect of each setting on the trials that a resample leaves out, [resamples, settings]."""
    count, settings = places.shape
    drawn = (_numbers(_RESAMPLES, count) % numpy.uint64(count)).astype(int)
    weights = numpy.zeros((_RESAMPLES, count))
    numpy.add.at(weights, (numpy.arange(_RESAMPLES)[:, None], drawn), 1.0)
    surface = _features(places)
    size = surface.shape[1]
    products = numpy.einsum("rn,nt,nu->rtu", weights, surface, surface, optimize=True)
    products += _RIDGE * count * numpy.eye(size)
    fits = numpy.linalg.solve(products, ((weights * ranks) @ surface)[:, :, None])[:, :, 0]
    left_out = weights == 0
    left_out = left_out[left_out.sum(axis=1) > 1]
    fits = fits[(weights == 0).sum(axis=1) > 1]

    def error(changed: Any) -> Any:
        """The mean squared error of each fit on the trials that it has not seen, the settings `changed`."""
        squares = (ranks - fits @ _features(changed).T) ** 2
        return (squares * left_out).sum(axis=1) / left_out.sum(axis=1)

    before = error(places)
    exchanges = numpy.argsort(_numbers(_EXCHANGES, count, first=_RESAMPLES * count + 1), axis=1)
    found: list[Any] = []
    for setting in range(settings):
        errors: list[Any] = []
        for order in exchanges:
            changed = places.copy()
            changed[:, setting] = changed[order, setting]
            errors.append(error(changed))
        found.append((numpy.mean(errors, axis=0) - before) / 2)
    return numpy.stack(found, axis=1)


def _features(places: Any) -> Any:
    """A constant, each setting, its square, and the products of every two."""
    settings = places.shape[1]
    rows, columns = numpy.triu_indices(settings)
    return numpy.hstack([numpy.ones((len(places), 1)), places, places[:, rows] * places[:, columns]])


def _numbers(rows: int, columns: int, first: int = 1) -> Any:
    """Numbers from 0 to below 2³¹ with nothing in common, the same whenever they are asked for: SplitMix64 (Steele et
    al. 2014, https://doi.org/10.1145/2714064.2660195) of those from `first` on."""
    state = numpy.arange(first, first + rows * columns, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    state ^= state >> numpy.uint64(31)
    return (state >> numpy.uint64(33)).reshape(rows, columns)
