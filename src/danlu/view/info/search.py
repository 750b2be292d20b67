"""A search, ready to be drawn: where its trials lie in their ranges, how far each came, and which setting matters."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from danlu.stats.importance import Importance, importances
from danlu.view.info.study import StudyInfo
from danlu.view.info.trials import Trial, ranked


@dataclass(frozen=True)
class PlacedTrial:
    """A trial: where each of its settings lies in its range, 0 to 1, in the order of the ranges; its place in the
    order of all, 1 for the best; and its score, None where it has none."""

    trial: Trial
    shares: tuple[float, ...]
    place: int
    score: float | None


def placed_trials(info: StudyInfo) -> list[PlacedTrial]:
    """The trials of a search, the best first."""
    found: list[PlacedTrial] = []
    for place, trial in enumerate(ranked(info.trials, info.metric), 1):
        shares = tuple(share_of(one, float(trial.factors[one["key"]])) for one in info.ranges)
        value = trial.score.get(info.metric, math.nan)
        known = trial.state in ("finished", "dropped") and math.isfinite(value)
        found.append(PlacedTrial(trial, shares, place, value if known else None))
    return found


def share_of(one: Mapping[str, Any], value: float) -> float:
    """Where a value lies in its range: 0 at the low end, 1 at the high one.

    >>> share_of({"low": 0.01, "high": 1.0, "log": True}, 0.1), share_of({"low": 0.0, "high": 4.0, "log": False}, 1.0)
    (0.5, 0.25)
    """
    low, high = float(one["low"]), float(one["high"])
    if one["log"]:
        low, high, value = (math.log10(number) for number in (low, high, value))
    return (value - low) / (high - low) if high > low else 0.5


def setting_importances(info: StudyInfo) -> dict[str, Importance]:
    """How much each setting of a search matters, the most important first; none while there are too few trials."""
    placed = placed_trials(info)
    if not placed:
        return {}
    orders: Sequence[tuple[float, ...]] = [one.trial.rank(info.metric) for one in placed]
    places = {order: float(place) for place, order in enumerate(sorted(set(orders)))}
    found = importances([one.shares for one in placed], [places[order] for order in orders])
    named = [(one["key"], _as_shares(importance)) for one, importance in zip(info.ranges, found, strict=False)]
    return dict(sorted(named, key=lambda pair: -pair[1].share))


def _as_shares(found: Importance) -> Importance:
    """An estimate whose ends lie where shares can: chance brings it below 0 and above 1."""
    return replace(found, **{name: min(1.0, max(0.0, getattr(found, name))) for name in ("share", "low", "high")})
