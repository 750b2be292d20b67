"""Search: what was tried, round by round, and what did best, read from its folder."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy

from danlu.base.forked import refuse_forked
from danlu.base.readable import Readable
from danlu.base.records import Score
from danlu.lab.study.levels import Level
from danlu.lab.study.study import Best, Given, best_of
from danlu.stats.studies import Member, usual_metric
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import Round, StudyHistory
from danlu.view.info.study import member_of
from danlu.view.search import search_text

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
        return {name: float(numpy.mean([member.score[name] for member in self.members])) for name in names}

    def rank(self, metric: str) -> tuple[float, ...]:
        """Sorting key, larger is better: how far it came, then the metric, then the loss."""
        if self.state in ("failed", "diverged"):
            return (-2.0 if self.state == "failed" else -1.0, 0.0, 0.0)
        values = [member.value(metric) for member in self.members]
        far = math.inf if self.state == "finished" else float(self.epochs)
        return (far, *_finite(float(numpy.mean(values)), -self.score["loss"]))

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


class Search(Readable):
    """A search's folder with what it holds: its trials and the best of them.

    `best` was chosen by the validation parts alone, trained once more on all but the test part, and scored on that.
    """

    def __init__(self, folder: str | Path, given: Given | None = None) -> None:
        self._place = StudyFolder.open(Path(folder))
        self._given = given or Given()
        self._design = self._place.read_design()

    @property
    def folder(self) -> Path:
        return self._place.path

    @property
    def ranges(self) -> list[dict[str, Any]]:
        """Each with "key", "low", "high", "log" and "whole"."""
        return self._design["search"]["ranges"]

    @functools.cached_property
    def history(self) -> StudyHistory:
        """What its journal tells."""
        return StudyHistory.read(self._place.journal)

    @functools.cached_property
    def trials(self) -> list[Trial]:
        """Those of the rounds that are done, in the order in which they were tried."""
        return trials_of(self.history)

    @property
    def members(self) -> list[Member]:
        """One for each training that was begun."""
        return [member for trial in self.trials for member in trial.members]

    @property
    def metric(self) -> str:
        return self._design["metric"] or usual_metric(self.members)

    @property
    def ranked(self) -> list[Trial]:
        """The trials, the best first."""
        return sorted(self.trials, key=lambda trial: trial.rank(self.metric), reverse=True)

    @property
    def rounds(self) -> int:
        return sum(one.seconds is not None for one in self.history.rounds)

    @property
    def seconds(self) -> float:
        """Seconds from the call on: of loading, of all trainings, of the best trained once more."""
        return self.history.seconds + self.history.loading

    @property
    def finished(self) -> bool:
        return self.history.finished

    @property
    def best(self) -> Best | None:
        """None until the search has ended, or where nothing trained to its end."""
        return best_of(self._place, self.history.best)

    def table(self) -> Any:
        """A polars frame, one row a trial: its settings, round, state, epochs and mean scores, the best first."""
        import polars

        refuse_forked()
        rows = [
            {**trial.factors, "round": trial.round, "state": trial.state, "epochs": trial.epochs, **trial.score}
            for trial in self.ranked
        ]
        return polars.DataFrame(rows, infer_schema_length=None, strict=False)

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        best = self.best
        states = [trial.state for trial in self.trials]
        return {
            "study": str(self.folder),
            "search": self.ranges,
            "metric": self.metric,
            "rounds": self.rounds,
            "trials": [trial.as_dict() for trial in self.ranked],
            "trainings": len(self.members),
            "full_trainings": sum(len(trial.members) for trial in self.trials if trial.state == "finished"),
            "dropped": states.count("dropped"),
            "diverged": states.count("diverged"),
            "failed": states.count("failed"),
            "members": [member.as_dict() for member in self.members],
            "best": {} if best is None else best.as_dict(),
            "finished": self.finished,
            "seconds": round(self.seconds, 3),
            "loading_seconds": round(self.history.loading, 3),
        }

    def __str__(self) -> str:
        return search_text(self.as_dict())

    def __repr__(self) -> str:
        return f"Search({str(self.folder)!r}, {len(self.trials)} trials)"


def trials_of(history: StudyHistory) -> list[Trial]:
    """The trials of all rounds that came to their end."""
    return [_trial(point, one) for one in history.rounds if one.seconds is not None for point in one.points]


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
