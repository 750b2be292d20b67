"""Several trainings as one curve: their mean along an axis, with its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from danlu.stats.mean_interval import mean_intervals
from danlu.view.info.thin import ThinnedCurve, finite


@dataclass(frozen=True)
class CurveBand:
    """At `places`, ascending: the mean of several trainings, the ends of its 95 % interval (None where one training is
    left alone), and the trainings themselves."""

    places: tuple[float, ...] = ()
    mean: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    singles: tuple[tuple[float | None, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.places)


def band_of(places: Sequence[float], table: Sequence[Sequence[float | None]], folds: int) -> CurveBand:
    """The band of trainings of so many folds, a row of `table` each; of the places at which at least half of them
    stood: those that are left later are no fair sample.

    >>> band_of([1, 2], [[1.0, 2.0], [3.0, None]], 1).mean
    (2.0, 2.0)
    >>> band_of([1, 2], [[1.0, 1.0], [3.0, None], [2.0, None]], 1).places
    (1,)
    """
    rows = numpy.array([[math.nan if value is None else value for value in row] for row in table], dtype=float)
    rows = rows.reshape(len(table), len(places))
    standing = numpy.isfinite(rows).sum(0)
    kept = (standing > 0) & (2 * standing >= len(table))
    mean, low, high = map(_told, mean_intervals(rows[:, kept], folds=folds))
    chosen = tuple(place for place, keep in zip(places, kept.tolist(), strict=False) if keep)
    return CurveBand(chosen, mean, low, high, tuple(map(_told, rows[:, kept])))


def curve_band(curves: Sequence[ThinnedCurve], folds: int, most: int) -> CurveBand:
    """The band of curves whose points need not lie at the same places: all of these where they are few, else so many
    evenly spaced, with straight lines between a curve's own points. No curve is drawn out beyond its ends."""
    known = [
        [(at, value) for at, value in zip(one.steps, one.values, strict=True) if value is not None] for one in curves
    ]
    own = sorted({at for points in known for at, _ in points})
    if len(own) > most:
        own = numpy.linspace(own[0], own[-1], most).tolist()
    table: list[Any] = []
    for points in known:
        xs, ys = [at for at, _ in points], [value for _, value in points]
        outside = {"left": math.nan, "right": math.nan}
        table.append(numpy.interp(own, xs, ys, **outside).tolist() if points else [None] * len(own))
    return band_of(own, table, folds)


def _told(row: numpy.ndarray) -> tuple[float | None, ...]:
    return tuple(map(finite, row.tolist()))
