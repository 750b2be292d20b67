"""What a journal tells, in the words of a tracker: of a run, or of a study and its trainings."""

import bisect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from danlu.base.finding_text import finding_lines
from danlu.base.records import Finding, Score
from danlu.ship.trackers.handles import Handles
from danlu.ship.trackers.tracker import Tracked, Tracker
from danlu.store.records import MemberDone
from danlu.store.run_history import RunReplay
from danlu.store.study_history import StackCurves, StudyHistory, StudyReplay

Open = Callable[[Tracked], Tracker]


@dataclass(frozen=True)
class Ending:
    """How it ended, one of `ENDED`; the pictures of it by name; further numbers and texts; and the files to hand over,
    each with its path in the run's folder."""

    state: str
    pictures: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Sequence[tuple[Path, str]] = ()


class Teller(ABC):
    """Tells one tracker of one journal."""

    @abstractmethod
    def take(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Tell what these objects of the journal say; yields between two calls of the tracker."""

    @abstractmethod
    def end(self, ending: Ending) -> Iterator[None]:
        """Tell how it ended; yields in between."""


class RunTeller(Teller):
    """Of a run: a training loss at each step that `every` divides, scores after each epoch, findings as they appear.

    `handles` remember by what the tracker called `name` knows the run.
    """

    def __init__(self, name: str, open: Open, run: Tracked, handles: Handles, every: int) -> None:
        run = replace(run, handle=handles.handle(name))
        self._tracker = open(run)
        handles.put(name, self._tracker.handle)
        self._every = every
        self._steps, self._epochs = self._tracker.steps, self._tracker.epochs
        self._last = self._steps
        self._findings: set[tuple[str, int, str]] = set()
        self._final: dict[str, float] = {}

    def take(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        replay = RunReplay.of(entries)
        numbers: dict[int, dict[str, float]] = {}
        for place in range(bisect.bisect_right(replay.steps, self._steps), len(replay.steps)):
            if replay.steps[place] % self._every == 0:
                told = {"loss": replay.loss[place], "lr": replay.lr[place]}
                norm = replay.norm[place]
                numbers[replay.steps[place]] = told if norm is None else {**told, "gradient_norm": norm}
        self._steps = max([self._steps, *replay.steps[-1:]])
        for epoch in replay.epochs:
            if epoch.step > self._epochs:
                parts = {"train": epoch.train, "validation": epoch.validation or {}}
                numbers.setdefault(epoch.step, {}).update(_named(parts), epoch=float(epoch.epoch))
                self._epochs = epoch.step
        for step in sorted(numbers):
            self._last = max(self._last, step)
            self._tracker.numbers(step, numbers[step])
            yield
        yield from self._tell_findings(replay.findings)
        if replay.finished:
            self._final = _named(replay.score, "final/")
        self._tracker.flush()

    def _tell_findings(self, findings: Sequence[Finding]) -> Iterator[None]:
        for finding in findings:
            key = (finding.rule, finding.since, finding.severity)
            if key not in self._findings:
                self._findings.add(key)
                self._tracker.text(f"findings/{finding.rule}", "\n".join(finding_lines(finding)), self._last)
                yield

    def end(self, ending: Ending) -> Iterator[None]:
        return _end(self._tracker, self._last, self._final, ending)


class StudyTeller(Teller):
    """Of a study: itself, and each training that is done as a run of its own in the study's group."""

    def __init__(self, name: str, open: Open, run: Tracked, handles: Handles) -> None:
        self._name, self._open, self._handles = name, open, handles
        self._study = replace(run, handle=handles.handle(name))
        self._tracker = open(self._study)
        handles.put(name, self._tracker.handle)
        self._replay = StudyReplay()
        self._told = 0

    def take(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        before = len(self._replay.members)
        for entry in entries:
            self._replay.add(entry)
        # One look later than they are done: their curves may stand behind them in the journal.
        yield from self._tell_members(before)
        self._tracker.flush()

    def _tell_members(self, until: int) -> Iterator[None]:
        if until <= self._told:
            return
        history = self._replay.told()
        curves = _Curves(history)
        for member in history.members[self._told : until]:
            yield from self._tell_member(member, curves)
        self._told = until

    def _tell_member(self, member: MemberDone, curves: "_Curves") -> Iterator[None]:
        key = f"{member.factors} seed={member.seed} fold={member.fold}"
        if self._handles.is_done(self._name, key):
            return
        name = member_name(member)
        settings = {**member.factors, "seed": member.seed, "fold": member.fold}
        told = replace(
            self._study,
            name=name,
            logs=self._study.logs / name,
            settings=settings,
            notes={},
            handle=self._handles.handle(self._name, key),
            parent=self._tracker.handle,
        )
        run = self._open(told)
        self._handles.put(self._name, run.handle, key)
        for epoch, values in curves.of(member):
            if epoch > run.epochs:
                run.numbers(epoch, values)
                yield
        final = {f"final/validation/{name}": value for name, value in member.score.items()}
        state = "diverged" if member.diverged else "finished"
        yield from _end(run, max(member.epochs, 1), final, Ending(state))
        self._handles.put(self._name, run.handle, key, done=True)

    def end(self, ending: Ending) -> Iterator[None]:
        yield from self._tell_members(len(self._replay.members))
        yield from _end(self._tracker, len(self._replay.members), {}, ending)


class _Curves:
    """The course of each training of a study, by epoch."""

    def __init__(self, history: StudyHistory) -> None:
        self._rows: dict[tuple[str, int, int], tuple[StackCurves, int]] = {}
        for curves in history.curves:
            for column, (combination, seed, fold) in enumerate(curves.members):
                self._rows[str(dict(curves.combinations[combination])), seed, fold] = curves, column

    def of(self, member: MemberDone) -> Iterator[tuple[int, dict[str, float]]]:
        curves, column = self._rows.get((str(dict(member.factors)), member.seed, member.fold), (None, 0))
        if curves is None:
            return
        for place, epoch in enumerate(curves.epochs):
            told = {"train/loss": curves.train[place][column]}
            for name, rows in curves.validation.items():
                row = rows[place]
                told[f"validation/{name}"] = None if row is None else row[column]
            yield epoch, {name: value for name, value in told.items() if value is not None}


def _end(tracker: Tracker, step: int, final: Mapping[str, float], ending: Ending) -> Iterator[None]:
    final = {**final, **ending.numbers}
    if final:
        tracker.numbers(step, final)
    for name, text in ending.texts.items():
        tracker.text(name, text, step)
        yield
    for name, png in ending.pictures.items():
        tracker.picture(name, png, step)
        yield
    for path, name in ending.files:
        if path.is_file():
            tracker.file(path, name)
            yield
    tracker.end(ending.state, final)


def _named(parts: Mapping[str, Score], before: str = "") -> dict[str, float]:
    return {f"{before}{part}/{name}": value for part, score in parts.items() for name, value in score.items()}


def member_name(member: MemberDone) -> str:
    """What a training of a study is called, also as a folder.

    >>> member_name(MemberDone(factors={"optim.lr": 0.1}, seed=3, fold=0, score={}, diverged=False))
    'optim.lr=0.1-seed3-fold0'
    """
    text = "-".join([*(f"{key}={level}" for key, level in member.factors.items()), f"seed{member.seed}"])
    text = "".join(sign if sign.isalnum() or sign in "-_.=" else "-" for sign in text)
    return f"{text[:120]}-fold{member.fold}"
