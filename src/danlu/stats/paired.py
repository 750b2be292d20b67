"""What a change does, from pairs that differ in nothing else: the mean difference, its interval, and a verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy

from danlu.base.errors import fail
from danlu.stats.members import MOST_MORE
from danlu.stats.paired_means import LEAST_PAIRS, PairedMeans, half_width, holm_factors, paired_means
from danlu.stats.power import pairs_needed

Verdict = Literal["better", "worse", "no difference", "undecided"]
Reason = Literal["", "pairs", "flat", "folds", "small", "unfinished", "mixed"]

LEVEL = 0.95
# What an interval has to spare so that four studies of five find what there is: quantile of the normal distribution.
_FOUR_IN_FIVE = 0.8416


@dataclass(frozen=True)
class Effect:
    """`after` - `before`: mean, interval, number of pairs, p-value, and the answer.

    "better" and "worse": the interval leaves out 0. "no difference": it lies within ± `margin`. `more`: about how
    many more seeds an undecided comparison takes; None where it is decided, or where seeds alone will not do, for
    which `reason` says why: "folds" (they disagree), "flat" (the seeds change nothing), "small" (it would take over
    `MOST_MORE`), "unfinished" (the study is). With "pairs" there are fewer than three. Where nothing can be decided
    the interval is infinite.
    """

    mean: float
    low: float
    high: float
    pairs: int
    p: float
    margin: float
    verdict: Verdict
    more: int | None = None
    reason: Reason = ""
    error: float = math.nan
    freedom: int = 1
    seed_error: float = 0.0  # over seeds, where `error` is over folds
    seed_freedom: int = 1
    deviation: float = math.nan  # of the differences within a fold
    between: float = 0.0  # the variance that the folds' means would keep with endless seeds
    folds: int = 1


def check_margin(margin: float, most: float = math.inf) -> None:
    """UserError for a margin that is no number, not finite, negative, or not below `most`."""
    ok = isinstance(cast(object, margin), int | float) and not isinstance(margin, bool)
    if not ok or not math.isfinite(margin) or margin < 0 or margin >= most:
        fail("stats.margin" if math.isinf(most) else "stats.margin-below", found=margin, most=f"{most:g}")


def paired_effect(
    differences: Sequence[Sequence[float]],
    *,
    margin: float,
    level: float = LEVEL,
    grain: float = 0.0,
    rounding: float = 0.0,
) -> Effect:
    """The effect from `differences[fold][seed]`, larger meaning better; a single fold stands for one fixed split.

    Student's t interval, over several folds with Nadeau and Bengio's correction. `grain` and `rounding` are those of
    `paired_means`, which see. Differences that are not finite are left out. UserError for a margin that is none.

    >>> effect = paired_effect([[0.03, 0.05, 0.04, 0.05]], margin=0.01)
    >>> effect.verdict, round(effect.mean, 4), round(effect.low, 4)
    ('better', 0.0425, 0.0273)
    """
    check_margin(margin)
    table = as_table(differences)[None]
    means = paired_means(table, grain=grain, rounding=rounding)
    return effects_from(table, means, numpy.ones(1), margin=margin, level=level)[0]


def as_table(differences: Sequence[Sequence[float]]) -> Any:
    """Lists of numbers, one for each fold, as an array [folds, seeds] with NaN for what is not there."""
    table = numpy.full((max(1, len(differences)), max([1, *map(len, differences)])), math.nan)
    for row, values in zip(table, differences, strict=False):
        row[: len(values)] = values
    return table


def effects_from(
    tables: Any, means: PairedMeans, factors: Any, *, margin: float, level: float, later: float | None = None
) -> list[Effect]:
    """The effects of differences [comparisons, folds, seeds] with these means and Holm's factors; `later` is the level
    at which a later look would decide, by which is told how many seeds are missing."""
    verdicts, low, high = decide(means, factors, margin, level)
    found: list[Effect] = []
    for row, table in enumerate(tables):
        deviation, between = _spread(table)
        effect = Effect(
            mean=float(means.mean[row]),
            low=float(low[row]),
            high=float(high[row]),
            pairs=int(means.pairs[row]),
            p=min(1.0, float(means.p[row] * factors[row])),
            margin=margin,
            verdict=VERDICTS[int(verdicts[row])],
            error=float(means.error[row]),
            freedom=int(means.freedom[row]),
            seed_error=float(means.seed_error[row]),
            seed_freedom=int(means.seed_freedom[row]),
            deviation=deviation,
            between=between,
            folds=int(numpy.isfinite(table).any(-1).sum()),
        )
        alpha = (1 - (later or level)) / float(factors[row])
        found.append(_explained(effect, bool(means.few[row]), bool(means.flat[row]), alpha))
    return found


VERDICTS: tuple[Verdict, ...] = ("undecided", "better", "worse", "no difference")


def decide(means: PairedMeans, factors: Any, margin: Any, level: Any) -> tuple[Any, Any, Any]:
    """Of comparisons [...] the verdicts, as places in `VERDICTS`, and the intervals' ends that they are read from.

    `factors` are Holm's: a p-value times its factor is below 1 - `level` just where the interval at 1 - (1 - level) /
    factor leaves out 0.
    """
    half = half_width(means, (1 - numpy.asarray(level)) / factors)
    mean = numpy.nan_to_num(means.mean)
    low, high = mean - half, mean + half
    inside = (low >= -numpy.asarray(margin)) & (high <= margin)
    verdicts = numpy.select([low > 0, high < 0, inside], [1, 2, 3], 0)
    return verdicts, low, high


_COLUMNS = ("mean", "error", "freedom", "seed_error", "seed_freedom", "pairs", "p")


def holm(effects: Sequence[Effect], *, level: float = LEVEL) -> list[Effect]:
    """The same effects as one family: p-values adjusted by Holm (1979), and the intervals and verdicts that follow.

    >>> first, second = holm([paired_effect([[0.1, 0.2, 0.1]], margin=0), paired_effect([[0.1, 0.3, 0.5]], margin=0)])
    >>> round(first.p, 4), round(second.p, 4)
    (0.1144, 0.1217)
    """
    few = numpy.array([effect.reason == "pairs" for effect in effects], dtype=bool)
    flat = numpy.array([effect.reason == "flat" for effect in effects], dtype=bool)
    columns = {name: numpy.array([getattr(effect, name) for effect in effects]) for name in _COLUMNS}
    means = PairedMeans(**columns, few=few, flat=flat)
    factors = holm_factors(means.p, ~few)
    verdicts, low, high = decide(means, factors, numpy.array([effect.margin for effect in effects]), level)
    return [
        _explained(
            replace(
                effect,
                low=float(low[row]),
                high=float(high[row]),
                p=min(1.0, float(effect.p * factors[row])),
                verdict=VERDICTS[int(verdicts[row])],
            ),
            bool(few[row]),
            bool(flat[row]),
            (1 - level) / float(factors[row]),
        )
        for row, effect in enumerate(effects)
    ]


def _explained(effect: Effect, few: bool, flat: bool, alpha: float) -> Effect:
    """Where it is undecided: why, and what would help."""
    if effect.verdict != "undecided":
        return replace(effect, more=None, reason="")
    if flat:
        return replace(effect, more=None, reason="flat")
    if few:
        # One more seed is one more pair in each fold.
        least = -(-(LEAST_PAIRS - effect.pairs) // max(1, effect.folds))
        return replace(effect, reason="pairs", more=max(1, least))
    more = _more(effect, alpha) if alpha > 0 else 1
    if more and more <= MOST_MORE:
        return replace(effect, more=more, reason="")
    return replace(effect, more=None, reason="folds" if effect.folds > 1 and not more else "small")


def _spread(table: Any) -> tuple[float, float]:
    """Standard deviation of the differences within a fold, and the variance between folds that seeds cannot lessen."""
    folds = [row[numpy.isfinite(row)] for row in table]
    within = [float(row.var(ddof=1)) for row in folds if len(row) > 1]
    variance = float(numpy.mean(within)) if within else math.nan
    means = [float(row.mean()) for row in folds if len(row)]
    if len(means) < 2:
        return math.sqrt(variance), 0.0
    count = max(len(row) for row in folds)
    of_seeds = 0.0 if math.isnan(variance) else variance / count
    return math.sqrt(variance), max(0.0, float(numpy.var(means, ddof=1)) - of_seeds)


def _more(effect: Effect, alpha: float) -> int | None:
    """About how many seeds are missing until the difference seen so far would be found in four studies of five."""
    folds = max(1, effect.folds)
    count = max(1, round(effect.pairs / folds))
    room = effect.margin - abs(effect.mean)
    of_seeds = (effect.seed_error if folds > 1 else effect.error) * math.sqrt(count)
    if abs(effect.mean) <= effect.margin / 2 and room > 0:
        # What is to be shown is that there is no difference: the interval must shrink into the margin.
        half = _quantile(effect.freedom, alpha) * effect.error
        return None if folds > 1 or not half else max(1, math.ceil(count * (half / room) ** 2) - count)
    if not effect.mean or not of_seeds or math.isnan(effect.mean):
        return None
    more = max(1, pairs_needed(effect.mean, of_seeds, level=1 - alpha) - count)
    if folds == 1:
        return more
    # The least standard error that endless seeds leave, and what the mean must be to stand out from it.
    wanted = _quantile(effect.freedom, alpha) + _FOUR_IN_FIVE
    least = (effect.mean / wanted) ** 2 / (1 / folds + 1 / (folds - 1)) - effect.between
    within = effect.deviation**2 if math.isfinite(effect.deviation) else 0.0
    left = math.ceil(within / least) - count if least > 0 else MOST_MORE + 1
    return max(more, left) if left <= MOST_MORE else None


def _quantile(freedom: int, alpha: float) -> float:
    from scipy import special  # here, because it takes long to import

    return -float(special.stdtrit(freedom, alpha / 2))
