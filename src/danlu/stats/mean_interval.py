"""The mean of scores that are not paired, with its interval."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


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
