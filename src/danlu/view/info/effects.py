"""What a study says, ready to be drawn: effects with their intervals, pairs, sweeps of a number, and folds."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from danlu.base.own_code import short_name
from danlu.base.strict_json import number
from danlu.base.words import say
from danlu.stats.members import COSTS, Member
from danlu.view.info.study import REMEDY
from danlu.view.info.thin import finite

VERDICTS = ("better", "worse", "no difference", "undecided")


@dataclass(frozen=True)
class EffectRow:
    """One row of a forest plot: what changing `factor` from one level to another does to `metric`."""

    factor: str
    before: str
    after: str
    metric: str
    mean: float | None
    low: float | None
    high: float | None
    pairs: int
    verdict: str
    more: int | None = None  # seeds that would decide it, about
    endless: bool = False  # no number of seeds that anybody trains would


@dataclass(frozen=True)
class Pair:
    """Two members that differ in one factor only: their scores at both levels."""

    seed: int
    fold: int
    before: float
    after: float


@dataclass(frozen=True)
class Level:
    """All members at one level of a factor. `scores` are the finite ones; `diverged` counts the others."""

    value: Any
    scores: tuple[float, ...]
    diverged: int

    @property
    def mean(self) -> float | None:
        """The mean score; None where every member diverged."""
        return statistics.fmean(self.scores) if self.scores else None


@dataclass(frozen=True)
class Sweep:
    """A metric over the levels of one factor, in their order."""

    factor: str
    metric: str
    levels: tuple[Level, ...]

    @property
    def numeric(self) -> bool:
        """Whether the levels are numbers, so that they have distances."""
        return all(isinstance(level.value, int | float) and not isinstance(level.value, bool) for level in self.levels)

    @property
    def spread(self) -> bool:
        """Whether the levels are positive numbers over ten times apart: to be read by powers of ten."""
        values = [level.value for level in self.levels]
        return self.numeric and min(values) > 0 and max(values) >= 10 * min(values)


def look_of(verdict: str) -> str:
    """Which of the four looks a verdict has: what comes after a colon or in other words counts as undecided.

    >>> look_of("better"), look_of("undecided: about 12 more seeds")
    ('better', 'undecided')
    """
    if verdict == "no difference":
        return "same"
    return verdict if verdict in VERDICTS else "undecided"


def forest(effects: Sequence[Mapping[str, Any]]) -> tuple[EffectRow, ...]:
    """The rows of a forest plot from a study's effects, as `danlu compare --json` gives them."""
    return tuple(
        EffectRow(
            factor=str(effect["factor"]),
            before=level_text(effect["from"]),
            after=level_text(effect["to"]),
            metric=str(effect["metric"]),
            mean=_known(effect.get("mean")),
            low=_known(effect.get("low")),
            high=_known(effect.get("high")),
            pairs=int(effect["pairs"]),
            verdict=str(effect["verdict"]),
            more=int(effect["more"]) if effect.get("more") else None,
            endless=effect.get("reason") == "small",
        )
        for effect in effects
    )


def best_first(effects: Sequence[EffectRow]) -> tuple[EffectRow, ...]:
    """The rows by what they do, the best at the top; those of which nothing is known last."""
    return tuple(sorted(effects, key=lambda effect: worth(effect.mean, effect.metric), reverse=True))


def worth(mean: float | None, metric: str) -> float:
    """What a difference is worth: its size where more is better, minus that of a cost.

    >>> worth(0.1, "accuracy"), worth(0.1, "loss"), worth(None, "loss")
    (0.1, -0.1, -inf)
    """
    return -math.inf if mean is None else -mean if metric in COSTS else mean


def _known(value: Any) -> float | None:
    return None if value is None else finite(number(value))


def pairs(members: Sequence[Member], factor: str, before: str, after: str, metric: str) -> tuple[Pair, ...]:
    """Members at both levels of `factor` (as `level_text` writes them) that agree in all else: seed, fold, and every
    other factor."""

    def rest(member: Member) -> tuple[int, int, str]:
        others = {key: level for key, level in member.factors.items() if key != factor}
        return member.seed, member.fold, repr(sorted(others.items()))

    ends: dict[str, dict[tuple[int, int, str], float]] = {before: {}, after: {}}
    for member in members:
        level = level_text(member.factors.get(factor))
        score = score_of(member, metric)
        if level in ends and score is not None:
            ends[level][rest(member)] = score
    shared = sorted(ends[before].keys() & ends[after].keys(), key=repr)
    return tuple(Pair(key[0], key[1], ends[before][key], ends[after][key]) for key in shared)


def sweep(members: Sequence[Member], factor: str, metric: str) -> Sweep:
    """The metric over the levels of `factor`, over all settings of the others."""
    by_text = {level_text(member.factors[factor]): member.factors[factor] for member in members}
    levels = list(by_text.values())
    if all(isinstance(level, int | float) for level in levels):
        levels.sort()
    found = [[one for one in members if level_text(one.factors[factor]) == level_text(level)] for level in levels]
    scores = [[score_of(member, metric) for member in group] for group in found]
    return Sweep(
        factor,
        metric,
        tuple(
            Level(level, tuple(score for score in group if score is not None), sum(score is None for score in group))
            for level, group in zip(levels, scores, strict=True)
        ),
    )


def folds(members: Sequence[Member], metric: str) -> dict[str, dict[int, tuple[float, ...]]]:
    """The scores by setting and fold, where there is more than one fold; diverged members are left out."""
    found: dict[str, dict[int, tuple[float, ...]]] = {}
    for member in members:
        score = score_of(member, metric)
        if score is not None:
            by_fold = found.setdefault(setting_text(member.factors), {})
            by_fold[member.fold] = (*by_fold.get(member.fold, ()), score)
    return {setting: by_fold for setting, by_fold in found.items() if len(by_fold) > 1}


def score_of(member: Member, metric: str) -> float | None:
    """A member's score; None where it diverged or has none."""
    return None if member.diverged else finite(member.score.get(metric))


def setting_text(factors: Mapping[str, Any]) -> str:
    """A setting as people write it.

    >>> setting_text({"optim.lr": 0.1, "net.activation": "relu"})
    'lr 0.1, activation relu'
    """
    names = ("" if key == REMEDY else f"{key.rpartition('.')[2]} " for key in factors)
    return ", ".join(name + level_text(level) for name, level in zip(names, factors.values(), strict=True))


def level_text(level: Any) -> str:
    """A level of a factor as people write it.

    >>> level_text(0.1), level_text([64, 64]), level_text("relu"), level_text({"optim.lr": 0.1, "train.epochs": 5})
    ('0.1', '64×64', 'relu', 'optim.lr=0.1, train.epochs=5')
    >>> level_text(None), level_text(True)
    ('none', 'true')
    """
    if isinstance(level, Mapping):
        settings = cast(Mapping[str, Any], level)
        return ", ".join(f"{key}={level_text(value)}" for key, value in settings.items()) or say("study.as-it-is")
    if level is None or isinstance(level, bool):
        return str(level).lower()  # as they are typed
    if isinstance(level, float):
        return f"{level:g}"
    if isinstance(level, list | tuple):
        return "×".join(level_text(entry) for entry in level)
    return short_name(str(level))
