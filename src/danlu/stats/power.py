"""How likely a paired comparison is to find a difference, and how many pairs it takes."""

import functools
import math
from typing import Any

_CERTAIN = 8.0


@functools.cache
def scipy_stats() -> Any:
    """scipy.stats, imported when it is first asked for."""
    import scipy.stats  # here, because it takes longer to import than all of danlu

    return scipy.stats


def power(mean: float, deviation: float, pairs: int, *, level: float = 0.95) -> float:
    """The probability that a two-sided paired t-test at 1 - `level` finds a true mean difference of `mean`, where the
    differences deviate by `deviation`: the noncentral t distribution's tails (Cohen 1988, chapter 2).

    >>> round(power(0.5, 1.0, 34), 2)
    0.81
    """
    if pairs < 2:
        return 0.0
    if deviation == 0:
        return float(mean != 0)
    stats = scipy_stats()
    shift = abs(mean) / deviation * math.sqrt(pairs)
    edge = stats.t.ppf((1 + level) / 2, pairs - 1)
    if pairs > 10 and shift > edge + _CERTAIN:  # where scipy's noncentral t no longer converges
        return 1.0
    below = float(stats.nct.cdf(-edge, pairs - 1, shift)) if shift < _CERTAIN / 2 else 0.0
    return float(stats.nct.sf(edge, pairs - 1, shift)) + below


def pairs_needed(mean: float, deviation: float, *, wanted: float = 0.8, level: float = 0.95, most: int = 10_000) -> int:
    """About the least number of pairs with that `power` (Guenther 1981, https://doi.org/10.2307/2683577); `most` where
    it would take as many or more.

    >>> pairs_needed(0.5, 1.0)
    34
    """
    from scipy import special  # here, because it takes long to import

    edge, above = -float(special.ndtri((1 - level) / 2)), float(special.ndtri(wanted))
    if mean == 0:
        return most
    pairs = ((edge + above) * deviation / mean) ** 2 + edge**2 / 2
    return max(2, math.ceil(pairs)) if pairs < most else most
