"""The trials of a search, as its journal tells them: what was tried, how far it came, and which came furthest."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy

from danlu.base.records import Score
from danlu.stats.members import Level, Member
from danlu.store.records import MemberDone
from danlu.store.study_history import Round, StudyHistory

State = Literal["finished", "dropped", "diverged", "failed"]


@dataclass(frozen=True)
class Trial:
    """One combination of settings: its members (one for every seed and fold), their mean score, and how far they came.

    "dropped" ones made way for better ones after `epochs` epochs; of "failed" ones `reason` says why.
    """

    factors: Mapping[str, Level]
    round: int
    state: State
    epochs: int
    members: Sequence[Member]
    reason: str = ""

    @property
    def score(self) -> Score:
        names = self.members[0].score if self.members else {}
        return {
            name: float(numpy.mean([member.score.get(name, math.nan) for member in self.members])) for name in names
        }

    def rank(self, metric: str) -> tuple[float, ...]:
        """Sorting key, larger is better: how far it came, then the metric, then the loss."""
        if self.state in ("failed", "diverged"):
            return (-2.0 if self.state == "failed" else -1.0, 0.0, 0.0)
        value = float(numpy.mean([member.value(metric) for member in self.members]))
        far = math.inf if self.state == "finished" else float(self.epochs)
        return (far, *_finite(value, -self.score.get("loss", math.nan)))

    def as_dict(self) -> dict[str, Any]:
        return {
            "factors": dict(self.factors),
            "round": self.round,
            "state": self.state,
            "epochs": self.epochs,
            "members": len(self.members),
            "score": self.score,
            "reason": self.reason,
        }


def trials_of(history: StudyHistory) -> list[Trial]:
    """The trials of all rounds that came to their end."""
    return [_trial(point, one) for one in history.rounds if one.seconds is not None for point in one.points]


def ranked(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """The trials, the best first."""
    return sorted(trials, key=lambda trial: trial.rank(metric), reverse=True)


def member_of(record: MemberDone) -> Member:
    """A member as the statistics see it."""
    return Member(record.factors, record.seed, record.fold, record.score, record.diverged, record.samples)


def _trial(point: Mapping[str, Any], own: Round) -> Trial:
    # A round that was begun twice holds a member twice: the later one counts.
    records = list({(one.seed, one.fold): one for one in own.members if one.factors == point}.values())
    reasons = [one.reason for one in own.failed if one.factors == point]
    state: State = "finished"
    if reasons or not records:
        state = "failed"
    elif any(record.diverged for record in records):
        state = "diverged"
    elif any(record.dropped_at for record in records):
        state = "dropped"
    epochs = min((record.epochs for record in records), default=0)
    return Trial(
        point, own.number, state, epochs, [member_of(record) for record in records], reasons[0] if reasons else ""
    )


def _finite(*values: float) -> tuple[float, ...]:
    return tuple(value if math.isfinite(value) else -math.inf for value in values)
