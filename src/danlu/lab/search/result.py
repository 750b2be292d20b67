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
from danlu.base.strict_json import number
from danlu.lab.study.factors import Level
from danlu.lab.study.study import Best, Given, best_of
from danlu.stats.studies import Member, usual_metric
from danlu.store.journal import read
from danlu.store.study_folder import StudyFolder
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
    def _records(self) -> list[dict[str, Any]]:
        return list(read(self._place.journal))

    @functools.cached_property
    def trials(self) -> list[Trial]:
        """Those of the rounds that are done, in the order in which they were tried."""
        return trials_of(self._records)

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
        return sum(record["kind"] == "round-end" for record in self._records)

    @property
    def seconds(self) -> float:
        return sum(record["seconds"] for record in self._records if record.get("kind") == "done")

    @property
    def finished(self) -> bool:
        return any(record["kind"] in ("best", "nothing") for record in self._records)

    @property
    def best(self) -> Best | None:
        """None until the search has ended, or where nothing trained to its end."""
        return best_of(self._place, self._records)

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
        }

    def __str__(self) -> str:
        return search_text(self.as_dict())

    def __repr__(self) -> str:
        return f"Search({str(self.folder)!r}, {len(self.trials)} trials)"


def trials_of(records: Sequence[Mapping[str, Any]]) -> list[Trial]:
    """The trials of all rounds that came to their end."""
    done = {record["number"] for record in records if record.get("kind") == "round-end"}
    found: list[Trial] = []
    for record in records:
        if record.get("kind") == "round" and record["number"] in done:
            done.discard(record["number"])  # a round that was begun twice stands in the journal twice
            found += _of_round(record, records)
    return found


def _of_round(opening: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> list[Trial]:
    number = opening["number"]
    own = [record for record in records if record.get("round") == number]
    trials: list[Trial] = []
    for point in opening["points"]:
        same = [record for record in own if record["factors"] == point]
        members = {(r["seed"], r["fold"]): r for r in same if r["kind"] == "member"}
        reasons = [record["reason"] for record in same if record["kind"] == "failed"]
        trials.append(_trial(point, number, list(members.values()), reasons))
    return trials


def _trial(point: Mapping[str, Any], round: int, records: Sequence[Mapping[str, Any]], reasons: Sequence[str]) -> Trial:
    members = [member_of(record) for record in records]
    epochs = min((record["epochs"] for record in records), default=0)
    state: State = "finished"
    if reasons or not records:
        state = "failed"
    elif any(member.diverged for member in members):
        state = "diverged"
    elif any(record.get("dropped_at") for record in records):
        state = "dropped"
    return Trial(point, round, state, epochs, members, reasons[0] if reasons else "")


def member_of(record: Mapping[str, Any]) -> Member:
    """A member as a journal tells of it."""
    score = {name: number(value) for name, value in record["score"].items()}
    return Member(record["factors"], record["seed"], record["fold"], score, record["diverged"])


def _finite(*values: float) -> tuple[float, ...]:
    return tuple(value if math.isfinite(value) else -math.inf for value in values)
