"""From the members of a study to what each factor does, and to the combination that does best."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from danlu.stats.divergence import discordant, divergence_p, seeds_for_divergence
from danlu.stats.family import DIVERGENCES, DivergenceVerdict, decide_family
from danlu.stats.looks import look_alpha
from danlu.stats.members import COSTS, Comparison, Level, Member, by_level, compared, grain_of, plain_level
from danlu.stats.paired import LEVEL, Effect, Reason, Verdict, effects_from
from danlu.stats.paired_means import LEAST_PAIRS

__all__ = ["COSTS", "Member", "plain_level"]


@dataclass(frozen=True)
class Divergence:
    """Whether a change makes trainings diverge, by an exact test on the seeds that diverge at one level alone.

    `verdict` is "more", "fewer", "undecided", or "none" where nothing diverged at one level alone.
    """

    before: int = 0
    after: int = 0
    p: float = 1.0
    verdict: DivergenceVerdict = "none"
    more: int | None = None  # further seeds that would decide it, about

    def as_dict(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after, "p": self.p, "verdict": self.verdict}


@dataclass(frozen=True)
class FactorEffect:
    """What it does to go from one level of a factor to another, all else being equal.

    `effect` is that on the metric, over the pairs of which neither diverged; `left_out` counts the others. `diverged`
    counts the members that did, at either level, and `divergence` is what is proved of them. `as_dict` has mean and
    interval in the metric's own unit and sign; the verdict knows whether more or less is better.
    """

    factor: str
    start: Level
    end: Level
    metric: str
    effect: Effect
    diverged: tuple[int, int]
    divergence: Divergence = Divergence()
    left_out: int = 0

    @property
    def verdict(self) -> Verdict:
        """The metric's; where it proves nothing, that of the divergence, if that is proved. Neither overrides the
        other: a better metric with more that diverge is "undecided" (`reason` is "mixed")."""
        if self.effect.reason == "unfinished" or self.mixed:
            return "undecided"
        if self.divergence.verdict in ("more", "fewer"):
            return "worse" if self.divergence.verdict == "more" else "better"
        return self.effect.verdict

    @property
    def mixed(self) -> bool:
        return (self.effect.verdict, self.divergence.verdict) in (("better", "more"), ("worse", "fewer"))

    @property
    def reason(self) -> Reason:
        """Why it is undecided, where seeds are not all that is missing."""
        return "" if self.verdict != "undecided" else "mixed" if self.mixed else self.effect.reason

    @property
    def more(self) -> int | None:
        """About how many further seeds an undecided comparison takes."""
        if self.verdict != "undecided" or self.mixed:
            return None
        known = [count for count in (self.effect.more, self.divergence.more) if count]
        return min(known, default=None) if not self.effect.pairs else self.effect.more

    def as_dict(self) -> dict[str, Any]:
        effect = self.effect
        mean, low, high = signed(effect, self.metric)
        return {
            "factor": self.factor,
            "from": self.start,
            "to": self.end,
            "metric": self.metric,
            "mean": mean,
            "low": low,
            "high": high,
            "pairs": effect.pairs,
            "p": effect.p,
            "margin": effect.margin,
            "diverged": list(self.diverged),
            "divergence": self.divergence.as_dict(),
            "left_out": self.left_out,
            "score_verdict": effect.verdict,
            "verdict": self.verdict,
            "reason": self.reason,
            "more": self.more,
        }


def signed(effect: Effect, metric: str) -> tuple[float | None, float | None, float | None]:
    """Mean, low and high in the metric's own sign; None for what is not known, and for both ends of an interval that
    says nothing."""
    numbers = (effect.mean, effect.low, effect.high)
    if metric in COSTS:
        numbers = (-effect.mean, -effect.high, -effect.low)
    mean, low, high = (number if math.isfinite(number) else None for number in numbers)
    return mean, low, high


def usual_metric(members: Sequence[Member]) -> str:
    """Accuracy or R² where the task has it, else the loss."""
    # What diverged may have been given up before it was scored by anything but its loss.
    names = max((member.score for member in members), key=len, default={})
    return next((name for name in ("accuracy", "r2") if name in names), "loss")


def margin_of(given: float | None, members: Sequence[Member], metric: str) -> float:
    """The margin that a study's design gives, or the usual one where it gives none, or one that is no margin."""
    if given is None or not math.isfinite(given) or given < 0:
        return usual_margin(members, metric)
    return given


def usual_margin(members: Sequence[Member], metric: str) -> float:
    """The largest difference that counts as none: a hundredth, or for a cost a fiftieth of what it is where
    nothing diverged."""
    if metric not in COSTS:
        return 0.01
    values = [abs(value) for value in (member.value(metric) for member in members) if math.isfinite(value)]
    return 0.02 * float(numpy.median(values)) if values else 0.0


def factor_effects(
    members: Sequence[Member],
    factors: Mapping[str, Sequence[Level]],
    metric: str,
    margin: float,
    looks: Sequence[int] | None = (),
) -> list[FactorEffect]:
    """Each level of each factor against the first, the effects on the metric and on divergence as one family.

    `looks` are the numbers of seeds at which the study was looked at, now included; without them this is the only look
    there will be. None: the study is still under way, and nothing is decided before it is as large as planned.
    """
    grain = grain_of(members, metric)
    found: list[tuple[str, Level, Level, Comparison]] = []
    for factor, levels in factors.items():
        at = by_level(members, factor)
        first = at.get(plain_level(levels[0]), {})
        for level in levels[1:]:
            after = at.get(plain_level(level), {})
            if first.keys() & after.keys():
                found.append((factor, levels[0], level, compared(first, after, metric, grain)))
    comparisons = [one for *_, one in found]
    folds = max((len(one.differences) for one in comparisons), default=1)
    later = level_of([*looks, 2 * looks[-1]] if looks else looks, folds)
    told = judged(comparisons, margin, level_of(looks, folds), later)
    if looks is None:
        told = [(unfinished(effect), Divergence(divergence.before, divergence.after)) for effect, divergence in told]
    return [
        FactorEffect(factor, start, end, metric, effect, one.diverged, divergence, one.left_out)
        for (factor, start, end, one), (effect, divergence) in zip(found, told, strict=True)
    ]


def level_of(looks: Sequence[int] | None, folds: int) -> float:
    """How sure an answer must be at the last of the looks: 0.95 where there is but one and no other is to come."""
    if not looks:
        return LEVEL
    return 1 - look_alpha(looks, least=LEAST_PAIRS if folds == 1 else 2, alpha=1 - LEVEL)


def judged(
    comparisons: Sequence[Comparison], margin: float, level: float, later: float
) -> list[tuple[Effect, Divergence]]:
    """What a family of comparisons shows, of the metric and of divergence, at `level`; `later` is that of a later look,
    by which is told how many seeds are missing."""
    if not comparisons:
        return []
    shape = [max(sizes) for sizes in zip(*(one.differences.shape for one in comparisons), strict=True)]
    tables = numpy.full((len(comparisons), *shape), math.nan)
    for table, one in zip(tables, comparisons, strict=True):
        table[: one.differences.shape[0], : one.differences.shape[1]] = one.differences
    counts = numpy.array([discordant(one.before, one.after) for one in comparisons])
    family = decide_family(
        tables,
        counts,
        grain=[one.grain for one in comparisons],
        rounding=[one.rounding for one in comparisons],
        repeated=[one.repeated for one in comparisons],
        margin=margin,
        level=level,
    )
    effects = effects_from(tables, family.means, family.factors, margin=margin, level=level, later=later)
    divergences: list[Divergence] = []
    for row, (one, (after, before, seeds)) in enumerate(zip(comparisons, counts.tolist(), strict=True)):
        verdict = DIVERGENCES[int(family.divergences[row])] if after or before else "none"
        more = seeds_for_divergence(after, before, seeds, 1 - later) if verdict == "undecided" else None
        divergences.append(Divergence(*one.diverged, float(family.divergence_p[row]), verdict, more))
    return list(zip(effects, divergences, strict=True))


def unfinished(effect: Effect) -> Effect:
    """The effect as far as it is known, while the study is under way: a mean without an interval or an answer."""
    return replace(effect, low=-math.inf, high=math.inf, p=1.0, verdict="undecided", more=None, reason="unfinished")


def best_factors(members: Sequence[Member], metric: str) -> dict[str, Level]:
    """The combination of the best mean over seeds and folds, among those that are not proved to diverge more often than
    the one that does so least."""
    groups: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[str(sorted(member.factors.items(), key=str))].append(member)
    least = min(groups.values(), key=lambda group: _rank(group, metric)[0] * -1)
    steady = [group for group in groups.values() if group is least or not _diverges_more(least, group, metric)]
    return dict(max(steady, key=lambda group: _rank(group, metric)[::-1])[0].factors)


def _diverges_more(before: Sequence[Member], after: Sequence[Member], metric: str) -> bool:
    sides = [
        {(one.seed, one.fold): float(not math.isfinite(one.value(metric))) for one in side} for side in (before, after)
    ]
    if not any(math.isfinite(one.value(metric)) for one in after):
        return True
    keys = sorted(sides[0].keys() & sides[1].keys())
    seeds, folds = (sorted({key[place] for key in keys}) for place in (0, 1))
    tables = numpy.array([[[side.get((seed, fold), math.nan) for fold in folds] for seed in seeds] for side in sides])
    more, fewer, count = (int(number) for number in discordant(*tables))
    return more > fewer and divergence_p(more, fewer, count) <= 1 - LEVEL


def proved_factors(
    members: Sequence[Member], effects: Sequence[FactorEffect], metric: str, margin: float
) -> dict[str, Level]:
    """Of the levels of a factor that are proved better than its first one the best: one that changes fewest settings
    where others are not better than it by more than `margin`. The first level where none is proved better.
    """
    factor, first = next((factor, level) for factor, level in members[0].factors.items())
    levels = [effect.end for effect in effects if effect.verdict == "better"]
    if not levels:
        return {factor: effects[0].start if effects else first}
    ranks = [_rank([member for member in members if member.factors[factor] == level], metric) for level in levels]
    best = max(ranks)
    near = [
        (len(level), place)
        for place, (level, rank) in enumerate(zip(levels, ranks, strict=True))
        if rank[0] == best[0] and rank[1] >= best[1] - margin
    ]
    fewest = min(near)[0]
    return {factor: levels[max((place for size, place in near if size == fewest), key=lambda place: ranks[place])]}


def _rank(group: Sequence[Member], metric: str) -> tuple[float, float]:
    """Minus the share of the members that diverged, then the mean of the others."""
    values = [member.value(metric) for member in group if math.isfinite(member.value(metric))]
    return -(len(group) - len(values)) / len(group), float(numpy.mean(values)) if values else -math.inf
