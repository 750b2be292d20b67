"""What a change does, from pairs that differ in nothing else: the mean difference, its interval, and a verdict.

Folds of one cross-validation share most of their training samples, so their differences are not independent: the
variance of their mean is (1/k + 1/(k-1)) times theirs instead of 1/k (Nadeau and Bengio 2003,
https://doi.org/10.1023/A:1024068626366). Seeds are averaged within each fold before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy

from danlu.stats.power import pairs_needed, scipy_stats

Verdict = Literal["better", "worse", "no difference", "undecided"]

LEVEL = 0.95
# Beyond this skewness Student's t misses the shorter tail of so few differences; the bootstrap sees it.
_SKEWED, _FEW = 1.0, 30
_RESAMPLES = 9999


@dataclass(frozen=True)
class Effect:
    """`after` - `before`: mean, interval, number of pairs, p-value, and the answer.

    "no difference": the interval lies within ± `margin`. `more`: about how many more seeds an undecided comparison
    takes; None where it is decided, or where seeds alone will not do (the folds disagree).
    """

    mean: float
    low: float
    high: float
    pairs: int
    p: float
    margin: float
    verdict: Verdict
    more: int | None = None


def paired_effect(differences: Sequence[Sequence[float]], *, margin: float, level: float = LEVEL) -> Effect:
    """The effect from `differences[fold][seed]`, larger meaning better; a single fold stands for one fixed split.

    Student's t interval, with Nadeau and Bengio's correction over several folds; over one, where few differences are
    skewed, as wide as that of the BCa bootstrap where that one is wider (Efron 1987). One pair decides nothing.

    >>> effect = paired_effect([[0.03, 0.05, 0.04, 0.05]], margin=0.01)
    >>> effect.verdict, round(effect.mean, 4), round(effect.low, 4)
    ('better', 0.0425, 0.0273)
    """
    seeds = [numpy.asarray(fold, dtype=float) for fold in differences if len(fold)]
    values = numpy.array([fold.mean() for fold in seeds]) if len(seeds) > 1 else seeds[0]
    pairs = sum(len(fold) for fold in seeds)
    mean = float(values.mean())
    if len(values) < 2:
        return Effect(mean, -math.inf, math.inf, pairs, 1.0, margin, "undecided", 1)
    share = 1 / len(values) + (1 / (len(seeds) - 1) if len(seeds) > 1 else 0.0)
    error = float(values.std(ddof=1)) * math.sqrt(share)
    t = scipy_stats().t
    half = float(t.ppf((1 + level) / 2, len(values) - 1)) * error
    low, high = mean - half, mean + half
    p = float(2 * t.sf(abs(mean) / error, len(values) - 1)) if error else float(mean == 0)
    if len(seeds) == 1 and error and _is_skewed(values):
        low, high = _widened(values, low, high, level)
        p = max(p, 1 - level + 1e-12) if low <= 0 <= high else p
    effect = Effect(mean, low, high, pairs, p, margin, "undecided")
    effect = replace(effect, verdict=decided(effect, p, level))
    return replace(effect, more=_more(effect, seeds, half)) if effect.verdict == "undecided" else effect


def decided(effect: Effect, p: float, level: float = LEVEL) -> Verdict:
    """The verdict at a p-value, which may have been adjusted for several comparisons."""
    if p <= 1 - level and effect.mean:
        return "better" if effect.mean > 0 else "worse"
    inside = -effect.margin <= effect.low and effect.high <= effect.margin
    return "no difference" if inside else "undecided"


def holm(effects: Sequence[Effect], *, level: float = LEVEL) -> list[Effect]:
    """The same effects as one family: p-values adjusted by Holm (1979), and verdicts by these.

    >>> first, second = holm([paired_effect([[0.1, 0.2, 0.1]], margin=0), paired_effect([[0.1, 0.3, 0.5]], margin=0)])
    >>> round(first.p, 4), round(second.p, 4)
    (0.1144, 0.1217)
    """
    adjusted, least = dict[int, float](), 0.0
    for rank, place in enumerate(sorted(range(len(effects)), key=lambda place: effects[place].p)):
        least = max(least, min(1.0, effects[place].p * (len(effects) - rank)))
        adjusted[place] = least
    together: list[Effect] = []
    for place, effect in enumerate(effects):
        verdict = decided(effect, adjusted[place], level)
        more = (effect.more or 1) if verdict == "undecided" and effect.verdict != "undecided" else effect.more
        together.append(replace(effect, p=adjusted[place], verdict=verdict, more=more))
    return together


def _more(effect: Effect, seeds: Sequence[Any], half: float) -> int | None:
    """About how many seeds are missing until the difference seen so far would be found in four studies of five."""
    count = max(len(fold) for fold in seeds)
    if not effect.mean or abs(effect.mean) <= effect.margin / 2:
        # What is to be shown is that there is no difference: the interval must shrink into the margin.
        room = effect.margin - abs(effect.mean)
        return None if room <= 0 or len(seeds) > 1 else max(1, math.ceil(count * (half / room) ** 2) - count)
    if len(seeds) == 1:
        return max(1, pairs_needed(effect.mean, float(seeds[0].std(ddof=1))) - count)
    within = float(numpy.mean([fold.var(ddof=1) for fold in seeds if len(fold) > 1] or [0.0]))
    between = max(0.0, float(numpy.var([fold.mean() for fold in seeds], ddof=1)) - within / count)
    folds = len(seeds)
    # The least standard error that endless seeds leave, and what the mean must be to stand out from it.
    t = float(scipy_stats().t.ppf(0.975, folds - 1)) + float(scipy_stats().t.ppf(0.8, folds - 1))
    room = (effect.mean / t) ** 2 / (1 / folds + 1 / (folds - 1)) - between
    return None if room <= 0 else max(1, math.ceil(within / room) - count)


def _is_skewed(values: Any) -> bool:
    return 4 <= len(values) < _FEW and abs(float(scipy_stats().skew(values))) > _SKEWED


def _widened(values: Any, low: float, high: float, level: float) -> tuple[float, float]:
    interval = (
        scipy_stats()
        .bootstrap((values,), numpy.mean, confidence_level=level, n_resamples=_RESAMPLES, method="BCa", rng=0)
        .confidence_interval
    )
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return low, high
    return min(low, float(interval.low)), max(high, float(interval.high))
