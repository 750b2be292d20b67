"""What a journal tells of a study or a search: sessions, trainings, looks, rounds, and what was chosen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from danlu.store.records import (
    BaselineDone,
    BestChosen,
    ChoicesMade,
    FailedCombination,
    MemberDone,
    MemberEpochs,
    MemberFailed,
    NothingFound,
    Record,
    RoundBegan,
    RoundDone,
    StackBegan,
    StudyBegan,
    StudyLooked,
    TrainingsDone,
)
from danlu.store.replay import Replay


@dataclass(frozen=True)
class Round:
    """A round of a search: the settings that it tries, and what came of them so far; `seconds` once it is done.

    One that was interrupted begins anew with the same points; what its trainings came to stands beside.
    """

    number: int
    points: tuple[Mapping[str, Any], ...]
    members: tuple[MemberDone, ...] = ()
    failed: tuple[MemberFailed, ...] = ()
    seconds: float | None = None


Row = Sequence[float | None]
"""One number for each of several trainings; None where a training has none."""


@dataclass(frozen=True)
class StackCurves:
    """How trainings came on that were carried out together: for each of `epochs`, ascending, a row of their training
    losses, and of each score on the validation part, None where it was not measured.

    `members` are the trainings: of each the number of its combination, its seed and its fold.
    """

    combinations: Sequence[Mapping[str, Any]]
    members: Sequence[tuple[int, int, int]]
    epochs: Sequence[int]
    train: Sequence[Row]
    validation: Mapping[str, Sequence[Row | None]]


@dataclass(frozen=True)
class StudyHistory:
    """The course of a study, or of a search with its `rounds`.

    >>> told = [{"kind": "begin", "seeds": [0, 1, 2]}, {"kind": "look"}, {"kind": "begin", "seeds": [0, 1, 2, 3]}]
    >>> StudyHistory.of(told).seeds, StudyHistory.of(told[:2]).looks
    ([[0, 1, 2], [3]], [3])
    """

    sessions: list[StudyBegan] = field(default_factory=list[StudyBegan])
    members: list[MemberDone] = field(default_factory=list[MemberDone])  # in the order in which they ended
    baselines: list[BaselineDone] = field(default_factory=list[BaselineDone])
    impossible: list[FailedCombination] = field(default_factory=list[FailedCombination])  # by the newest session
    failed: list[MemberFailed] = field(default_factory=list[MemberFailed])  # in the newest session
    rounds: list[Round] = field(default_factory=list[Round])
    curves: list[StackCurves] = field(default_factory=list[StackCurves])  # as far as they were recorded
    choices: dict[str, Any] = field(default_factory=dict[str, Any])  # what a stopwatch decided
    looks: list[int] | None = None
    """The numbers of seeds at which it was looked at; None while it is under way. A look is the end of what was
    planned: the record "look", or in journals of danlu 0.1, which have none, "best". The same seeds seen again, after a
    kill for instance, are no other look."""
    best: BestChosen | None = None  # the newest choice
    finished: bool = False  # a best one is chosen, or there is none, and no session began since
    seconds: float = 0.0  # of all stretches of work
    loading: float = 0.0  # seconds before the first training of each session
    skipped: int = 0  # lines that could not be made sense of
    unknown: int = 0  # lines of kinds that a newer danlu writes

    @staticmethod
    def of(entries: Iterable[Mapping[str, Any]]) -> "StudyHistory":
        """The history that the objects of a journal tell."""
        return StudyReplay.of(entries).told()

    @staticmethod
    def read(path: Path) -> "StudyHistory":
        """The history that the journal at `path` tells, an empty one where it is not there yet; UserError where it
        cannot be read."""
        return StudyReplay.of_file(path).told() if path.is_file() else StudyHistory()

    @property
    def planned(self) -> int | None:
        """The trainings that the newest session plans, those done before included; None where it does not say."""
        return self.sessions[-1].members if self.sessions else None

    @property
    def seeds(self) -> list[list[int]]:
        """The seeds that the first session began with, then those that each later one added."""
        waves: list[list[int]] = []
        for session in self.sessions:
            known = [seed for wave in waves for seed in wave]
            waves.append([seed for seed in session.seeds or () if seed not in known])
        return [wave for wave in waves if wave]


class StudyReplay(Replay[StudyHistory]):
    """A history of a study in the making; its attributes are those of StudyHistory."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: list[StudyBegan] = []
        self.members: list[MemberDone] = []
        self.baselines: list[BaselineDone] = []
        self.impossible: list[FailedCombination] = []
        self.failed: list[MemberFailed] = []
        self.choices: dict[str, Any] = {}
        self.best: BestChosen | None = None
        self.finished = False
        self.seconds = 0.0
        self.loading = 0.0
        self._stacks: dict[str, StackBegan] = {}
        self._rows: defaultdict[str, dict[int, tuple[Row, dict[str, Row | None]]]] = defaultdict(dict)
        self._rounds: dict[int, RoundBegan] = {}
        self._round_seconds: dict[int, float] = {}
        self._round_failed: list[MemberFailed] = []
        self._looks: list[int] = []
        self._seeds: set[int] = set()
        self._answers = False  # all that was planned is trained

    def told(self, damaged: int = 0) -> StudyHistory:
        parts: dict[str, Any] = {name: copy(part) for name, part in vars(self).items() if not name.startswith("_")}
        parts |= {"rounds": self._told_rounds(), "looks": list(self._looks) if self._answers else None}
        parts["curves"] = [self._told_curves(stack, self._rows[name]) for name, stack in self._stacks.items()]
        parts["skipped"] += damaged
        return StudyHistory(**parts)

    def take(self, record: Record) -> None:
        match record:
            case StudyBegan():
                self._begin(record)
            case StackBegan():
                if self._stacks.get(record.stack) != record:
                    self._rows.pop(record.stack, None)
                self._stacks[record.stack] = record
            case MemberEpochs():
                self._take_epochs(record)
            case MemberDone():
                self.members.append(record)
                self._seeds.add(record.seed)
            case MemberFailed():
                self.failed.append(record)
                self._round_failed.append(record)
            case BaselineDone():
                self.baselines.append(record)
            case ChoicesMade():
                self.choices |= record.made
            case StudyLooked():
                self._look()
            case BestChosen():
                self._look()
                self.best, self.finished = record, True
            case NothingFound():
                self.finished = True
            case RoundBegan():
                self._rounds.setdefault(record.number, record)
            case RoundDone():
                self._round_seconds[record.number] = record.seconds
            case TrainingsDone():
                self.seconds += record.seconds
            case _:
                pass

    def _take_epochs(self, record: MemberEpochs) -> None:
        stack = self._stacks.get(record.stack)
        rows = [*record.train, *(row for rows in record.validation.values() for row in rows if row is not None)]
        if stack is None or any(len(row) != len(stack.members) for row in rows):
            self.skipped += 1
            return
        for number, epoch in enumerate(record.epochs):
            scores = {name: rows[number] for name, rows in record.validation.items()}
            self._rows[record.stack][epoch] = record.train[number], scores

    @staticmethod
    def _told_curves(stack: StackBegan, rows: Mapping[int, tuple[Row, Mapping[str, Row | None]]]) -> StackCurves:
        epochs = sorted(rows)
        names = dict.fromkeys(name for epoch in epochs for name in rows[epoch][1])
        return StackCurves(
            stack.combinations,
            stack.members,
            epochs,
            train=[rows[epoch][0] for epoch in epochs],
            validation={name: [rows[epoch][1].get(name) for epoch in epochs] for name in names},
        )

    def _told_rounds(self) -> list[Round]:
        members: defaultdict[int | None, list[MemberDone]] = defaultdict(list)
        failed: defaultdict[int | None, list[MemberFailed]] = defaultdict(list)
        for member in self.members if self._rounds else ():
            members[member.round].append(member)
        for failure in self._round_failed:
            failed[failure.round].append(failure)
        return [
            Round(number, began.points, tuple(members[number]), tuple(failed[number]), self._round_seconds.get(number))
            for number, began in self._rounds.items()
        ]

    def _begin(self, record: StudyBegan) -> None:
        self.sessions.append(record)
        self.impossible = list(record.failed)
        self.failed = []
        self.finished = self._answers = False
        self.loading += record.loading

    def _look(self) -> None:
        self._answers = True
        planned = set(self.sessions[-1].seeds or ()) if self.sessions else set[int]()
        count = len(planned) or len(self._seeds)
        self._looks += [count] if self._looks[-1:] != [count] else []
