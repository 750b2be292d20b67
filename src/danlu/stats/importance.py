"""How much each setting of a search matters for the order in which its trials came out, with an interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

LEAST_TRIALS = 8
_MOST_TRIALS = 400  # looked at; of more of them as many, evenly
_RESAMPLES = 200
_SHIFTS = 4
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
    found = [
        effects for draw in _resamples(count) if (effects := _left_out_effects(places, ranks, draw)) is not None
    ]
    low, high = numpy.percentile(found, (50 * (1 - _LEVEL), 50 * (1 + _LEVEL)), axis=0)
    means = numpy.mean(found, axis=0)
    return [Importance(*map(float, row)) for row in zip(means, low, high, strict=True)]


def _ranks(values: Any) -> Any:
    """The places of the values in their order, of equal ones the mean."""
    _, inverse, counts = numpy.unique(values, return_inverse=True, return_counts=True)
    return (numpy.cumsum(counts) - (counts - 1) / 2)[inverse]


def _left_out_effects(places: Any, ranks: Any, draw: Any) -> Any:
    """The total effect of each setting on the trials that `draw` leaves out; None where it leaves out too few."""
    out = numpy.setdiff1d(numpy.arange(len(ranks)), draw)
    if len(out) < 2:
        return None
    surface = _features(places[draw])
    penalty = _RIDGE * len(draw) * numpy.eye(surface.shape[1])
    weights = numpy.linalg.solve(surface.T @ surface + penalty, surface.T @ ranks[draw])
    error = numpy.mean((ranks[out] - _features(places[out]) @ weights) ** 2)
    effects: list[float] = []
    for setting in range(places.shape[1]):
        worse: list[float] = []
        for shift in range(1, min(_SHIFTS, len(out) - 1) + 1):
            exchanged = places[out].copy()
            exchanged[:, setting] = numpy.roll(exchanged[:, setting], shift)
            worse.append(numpy.mean((ranks[out] - _features(exchanged) @ weights) ** 2))
        effects.append(float(numpy.mean(worse) - error) / 2)
    return effects


def _features(places: Any) -> Any:
    """A constant, each setting, its square, and the products of every two."""
    settings = places.shape[1]
    rows, columns = numpy.triu_indices(settings)
    return numpy.hstack([numpy.ones((len(places), 1)), places, places[:, rows] * places[:, columns]])


def _resamples(count: int) -> Any:
    """The bootstrap's draws, the same whenever they are asked for: SplitMix64 (Steele et al. 2014,
    https://doi.org/10.1145/2714064.2660195) of the numbers from 1 on."""
    state = numpy.arange(1, _RESAMPLES * count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    state ^= state >> numpy.uint64(31)
    return ((state >> numpy.uint64(33)) % numpy.uint64(count)).astype(int).reshape(_RESAMPLES, count)
