"""The verdicts of a family of comparisons: the metric and divergence, judged together, on whole arrays of families."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy

from danlu.stats.divergence import divergence_ps
from danlu.stats.paired import decide
from danlu.stats.paired_means import PairedMeans, holm_factors, paired_means

DivergenceVerdict = Literal["more", "fewer", "undecided", "none"]
DIVERGENCES: tuple[DivergenceVerdict, ...] = ("undecided", "more", "fewer")


@dataclass(frozen=True)
class Family:
    """Arrays [..., comparisons]: the means with Holm's factors and the verdicts on them (places in `VERDICTS`) with the
    intervals they are read from; adjusted p-values of divergence and the verdicts on it (places in `DIVERGENCES`)."""

    means: PairedMeans
    factors: Any
    verdicts: Any
    low: Any
    high: Any
    divergence_p: Any
    divergences: Any


def decide_family(
    tables: Any,
    counts: Any,
    *,
    grain: Any = 0.0,
    rounding: Any = 0.0,
    repeated: Any = False,
    margin: Any,
    level: float,
) -> Family:
    """Differences [..., comparisons, folds, seeds] and the counts of `discordant` [..., comparisons, 3], decided so
    that one family says something false in 1 - `level` of cases at most (Holm).

    A test that could not have decided, whichever way its pairs had turned out, takes nothing from the others (Tarone
    1990): fewer than three pairs, or fewer seeds that differ than it takes.
    """
    means = paired_means(tables, grain=grain, rounding=rounding, repeated=repeated)
    counts = numpy.asarray(counts)
    divergence, least = divergence_ps(counts[..., 0], counts[..., 1], counts[..., 2])
    alpha = 1 - level
    p = numpy.concatenate([means.p, divergence], -1)
    counted = numpy.concatenate([~means.few, least <= alpha], -1)
    factors = holm_factors(p, counted)
    of_means, of_divergence = numpy.split(factors, 2, -1)
    verdicts, low, high = decide(means, of_means, margin, level)
    adjusted = numpy.where(least <= alpha, numpy.minimum(1.0, divergence * of_divergence), divergence)
    proved = (adjusted <= alpha) & (least <= alpha)
    directions = numpy.where(counts[..., 0] > counts[..., 1], 1, 2)
    return Family(means, of_means, verdicts, low, high, adjusted, numpy.where(proved, directions, 0))
