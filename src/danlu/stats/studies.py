"""From the members of a study to what each factor does, and to the combination that does best."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy

from danlu.stats.paired import Effect, holm, paired_effect

Level = Any
"""What a factor of a study is set to."""

# Where less is better.
COSTS = ("loss", "mae", "rmse", "perplexity")


@dataclass(frozen=True)
class Member:
    """One training of a study: its levels, seed and fold, its score on the validation part, and whether it diverged."""

    factors: Mapping[str, Level]
    seed: int
    fold: int
    score: Mapping[str, float]
    diverged: bool

    def value(self, metric: str) -> float:
        """The metric with the sign that makes larger better; NaN where the member diverged."""
        value = self.score.get(metric, math.nan)
        return math.nan if self.diverged else -value if metric in COSTS else value

    def as_dict(self) -> dict[str, Any]:
        return {
            "factors": dict(self.factors),
            "seed": self.seed,
            "fold": self.fold,
            "score": dict(self.score),
            "diverged": self.diverged,
        }


@dataclass(frozen=True)
class FactorEffect:
    """What it does to go from one level of a factor to another, all else being equal.

    `mean`, `low` and `high` are in the metric's own unit and sign; the verdict knows whether more or less is better.
    `diverged` counts the members that did, at either level; they are left out of the mean, and where more diverged
    after the change than before, it is never called better.
    """

    factor: str
    start: Level
    end: Level
    metric: str
    effect: Effect
    diverged: tuple[int, int]

    @property
    def verdict(self) -> str:
        before, after = self.diverged
        if after > before and self.effect.verdict != "worse":
            return "worse" if after - before > max(1, self.effect.pairs // 10) else "undecided"
        if before > after and self.effect.verdict in ("worse", "undecided", "no difference"):
            return "better" if before - after > max(1, self.effect.pairs // 10) else self.effect.verdict
        return self.effect.verdict

    def as_dict(self) -> dict[str, Any]:
        effect, flip = self.effect, self.metric in COSTS
        low, high = (-effect.high, -effect.low) if flip else (effect.low, effect.high)
        return {
            "factor": self.factor,
            "from": self.start,
            "to": self.end,
            "metric": self.metric,
            "mean": -effect.mean if flip else effect.mean,
            "low": low,
            "high": high,
            "pairs": effect.pairs,
            "p": effect.p,
            "margin": effect.margin,
            "diverged": list(self.diverged),
            "verdict": self.verdict,
            "more": effect.more if self.verdict == "undecided" else None,
        }


def usual_metric(members: Sequence[Member]) -> str:
    """Accuracy or R² where the task has it, else the loss."""
    # What diverged may have been given up before it was scored by anything but its loss.
    names = max((member.score for member in members), key=len, default={})
    return next((name for name in ("accuracy", "r2") if name in names), "loss")


def usual_margin(members: Sequence[Member], metric: str) -> float:
    """The largest difference that counts as none: a hundredth, or for a cost a fiftieth of what it is."""
    if metric not in COSTS:
        return 0.01
    values = [abs(member.score[metric]) for member in members if math.isfinite(member.score.get(metric, math.nan))]
    return 0.02 * float(numpy.median(values)) if values else 0.0


def factor_effects(
    members: Sequence[Member], factors: Mapping[str, Sequence[Level]], metric: str, margin: float
) -> list[FactorEffect]:
    """Each level of each factor against the first, as one family of comparisons."""
    found: list[tuple[str, Level, Level, Effect, tuple[int, int]]] = []
    for factor, levels in factors.items():
        for level in levels[1:]:
            before, after = _pairs(members, factor, levels[0], level, metric)
            differences = _by_fold(before, after)
            diverged = (_broken(before), _broken(after))
            if any(differences):
                found.append((factor, levels[0], level, paired_effect(differences, margin=margin), diverged))
            elif sum(diverged):
                nothing = Effect(math.nan, -math.inf, math.inf, 0, 1.0, margin, "undecided")
                found.append((factor, levels[0], level, nothing, diverged))
    together = holm([effect for _, _, _, effect, _ in found])
    return [
        FactorEffect(factor, start, end, metric, effect, diverged)
        for (factor, start, end, _, diverged), effect in zip(found, together, strict=True)
    ]


def best_factors(members: Sequence[Member], metric: str) -> dict[str, Level]:
    """The combination of the best mean over seeds and folds, among those of which fewest members diverged."""
    groups: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[str(sorted(member.factors.items(), key=str))].append(member)
    return dict(max(groups.values(), key=lambda group: _rank(group, metric))[0].factors)


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


Sides = dict[tuple[int, int, str], float]


def _pairs(members: Sequence[Member], factor: str, start: Level, end: Level, metric: str) -> tuple[Sides, Sides]:
    """The values at either level by seed, fold and the levels of all other factors."""
    before, after = Sides(), Sides()
    for member in members:
        others = str(sorted((key, level) for key, level in member.factors.items() if key != factor))
        for level, side in ((start, before), (end, after)):
            if plain_level(member.factors[factor]) == plain_level(level):
                side[member.seed, member.fold, others] = member.value(metric)
    return before, after


def _by_fold(before: Sides, after: Sides) -> list[list[float]]:
    """Mean differences over the other factors' levels: a list for each fold, of one number for each seed."""
    differences: defaultdict[int, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (seed, fold, others), value in before.items():
        difference = after.get((seed, fold, others), math.nan) - value
        if math.isfinite(difference):
            differences[fold][seed].append(difference)
    return [
        [float(numpy.mean(values)) for _, values in sorted(seeds.items())] for _, seeds in sorted(differences.items())
    ]


def _broken(side: Sides) -> int:
    return sum(not math.isfinite(value) for value in side.values())


def plain_level(level: Level) -> Level:
    """A level that can be a key of a dict."""
    if isinstance(level, Mapping):
        return tuple((key, plain_level(value)) for key, value in cast(Mapping[str, Level], level).items())
    return tuple(plain_level(part) for part in cast(list[Any], level)) if isinstance(level, list | tuple) else level
