"""What each combination of a study reached, the best first: the same table in the terminal and on the page."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.words import say
from danlu.stats.members import COSTS
from danlu.view.info.effects import level_text


@dataclass(frozen=True)
class Combination:
    """Mean and standard deviation (n - 1) of those trainings of a combination that did not diverge; NaN where none."""

    name: str
    mean: float
    deviation: float
    count: int
    diverged: int


def combinations(
    members: Sequence[Mapping[str, Any]], baselines: Sequence[Mapping[str, Any]], metric: str
) -> list[Combination]:
    """The combinations of `members` and the `baselines`, both as `danlu compare --json` gives them.

    >>> member = {"factors": {"optim.lr": 0.1}, "score": {"accuracy": 0.5}, "diverged": False}
    >>> [one] = combinations([member], [], "accuracy")
    >>> one.name, one.mean, one.count
    ('optim.lr=0.1', 0.5, 1)
    """
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for member in members:
        rows.setdefault(factors_text(member["factors"]), []).append(member)
    for member in baselines:
        rows.setdefault(say("study.baseline", name=member["baseline"]), []).append({**member, "diverged": False})
    found = [_combination(name, own, metric) for name, own in rows.items()]
    worst = math.inf if metric in COSTS else -math.inf
    return sorted(found, key=lambda one: worst if math.isnan(one.mean) else one.mean, reverse=metric not in COSTS)


def factors_text(factors: Mapping[str, Any]) -> str:
    """The levels of a combination in a line."""
    return "  ".join(f"{key}={level_text(level)}" for key, level in factors.items())


def _combination(name: str, members: Sequence[Mapping[str, Any]], metric: str) -> Combination:
    kept = [member["score"] for member in members if not member["diverged"] and metric in member["score"]]
    values = [float(score[metric]) for score in kept]
    diverged = sum(bool(member["diverged"]) for member in members)
    if not values:
        return Combination(name, math.nan, math.nan, len(members), diverged)
    finite = all(map(math.isfinite, values))
    deviation = statistics.stdev(values) if finite and len(values) > 1 else 0.0 if finite else math.nan
    return Combination(name, statistics.fmean(values), deviation, len(members), diverged)
