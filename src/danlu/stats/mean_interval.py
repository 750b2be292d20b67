"""The mean of scores that are not paired, with its interval."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy


@dataclass(frozen=True)
class MeanInterval:
    """The mean of `count` values; `low` and `high` are None where one value alone tells nothing of how far they lie
    apart."""

    count: int
    mean: float
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float], *, level: float = 0.95) -> MeanInterval | None:
    """Student's interval of the mean of the finite ones of `values`; None where there is none.

    Student 1908, The probable error of a mean.

    >>> found = mean_interval([0.90, 0.92, 0.94])
    >>> found.count, round(found.mean, 2), round(found.low, 4), round(found.high, 4)
    (3, 0.92, 0.8703, 0.9697)
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    mean = statistics.fmean(finite)
    if len(finite) == 1:
        return MeanInterval(1, mean, None, None)
    from scipy import special

    reach = float(special.stdtrit(len(finite) - 1, (1 + level) / 2))
    half = reach * statistics.stdev(finite) / math.sqrt(len(finite))
    return MeanInterval(len(finite), mean, mean - half, mean + half)


def mean_intervals(table: Any, *, folds: int = 1, level: float = 0.95) -> tuple[Any, Any, Any]:
    """The means of the columns of `table` [trainings, places] and the ends of their intervals, each [places]. What is
    not finite is left out, and NaN stands where nothing is left, or one number alone, which has no interval.

    Trainings of several `folds` share most of their samples: their variance counts 1/n + 1/(folds - 1) times, as Nadeau
    and Bengio have it (2003, https://doi.org/10.1023/A:1024068626366), in place of 1/n.

    >>> mean, low, high = mean_intervals([[0.90, 1.0], [0.92, math.nan], [0.94, math.nan]])
    >>> mean.round(2).tolist(), low.round(4).tolist()
    ([0.92, 1.0], [0.8703, nan])
    """
    from scipy import special

    values = numpy.asarray(table, dtype=float)
    known = numpy.isfinite(values)
    count = known.sum(0)
    with numpy.errstate(all="ignore"):
        mean = numpy.where(known, values, 0.0).sum(0) / count
        variance = (numpy.where(known, values - mean, 0.0) ** 2).sum(0) / (count - 1)
        reach = special.stdtrit(numpy.maximum(count - 1, 1), (1 + level) / 2)
        half = reach * numpy.sqrt(variance * (1 / count + (1 / (folds - 1) if folds > 1 else 0.0)))
    half = numpy.where(count > 1, half, math.nan)
    return numpy.where(count > 0, mean, math.nan), mean - half, mean + half
