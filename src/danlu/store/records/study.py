"""What the journal of a study or a search tells, line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from danlu.base.records import Score
from danlu.store.records.reading import SPARSE, MalformedRecordError
from danlu.store.records.record import Numbers, Record


@dataclass(frozen=True)
class FailedCombination:
    """A combination of levels that cannot be trained, and why, in the language of the study."""

    factors: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, kw_only=True)
class StudyBegan(Record):
    """A session of a study or a search begins: the first, one after an interruption, or one for further seeds.

    members: trainings that the study has, those of earlier sessions included; a search does not say.
    seeds: all of the study; a search does not say.
    failed: combinations that cannot be trained: factors and reason.
    loading: seconds from the call to the first training: imports, data, the plan.
    version: of the format of what follows; 1, that of danlu 0.1, where none stands.
    """

    kind: ClassVar[str] = "begin"
    members: int | None = field(default=None, metadata=SPARSE)
    seeds: tuple[int, ...] | None = field(default=None, metadata=SPARSE)
    failed: tuple[FailedCombination, ...] = ()
    loading: float = 0.0
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class ChoicesMade(Record):
    """What a stopwatch decided, to be decided so again.

    made: stacks or not, their size, the form of a convolution, the number of processes, by name.
    """

    kind: ClassVar[str] = "choices"
    made: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StackBegan(Record):
    """Trainings of a study that are carried out together begin, or go on after an interruption.

    stack: a name for them, the same whenever they are told of.
    combinations: the levels of each factor, each combination that is among them once.
    members: of each training the number of its combination, from 0, its seed and its fold.
    """

    kind: ClassVar[str] = "stack"
    stack: str
    combinations: tuple[Mapping[str, Any], ...]
    members: tuple[tuple[int, int, int], ...]

    def check(self) -> None:
        if not all(combination < len(self.combinations) for combination, _, _ in self.members):
            raise MalformedRecordError("a member must be of one of the combinations")


@dataclass(frozen=True, kw_only=True)
class MemberEpochs(Record):
    """Epochs that trainings carried out together have done, as they end; of many epochs some are left out. One that was
    done over after an interruption stands twice, the later counts.

    stack: the name of these trainings; their record stands before.
    epochs: which, from 1.
    train: for each epoch the mean training losses, one for each training; null where it was trained no longer.
    validation: by name, for each epoch the scores, one for each training; null where they were not measured.
    """

    kind: ClassVar[str] = "member-epochs"
    stack: str
    epochs: Sequence[int]
    train: Sequence[Sequence[float | None]]
    validation: Mapping[str, Sequence[Numbers]] = field(default_factory=dict[str, Sequence[Numbers]])

    def check(self) -> None:
        if any(len(rows) != len(self.epochs) for rows in (self.train, *self.validation.values())):
            raise MalformedRecordError("there must be a row for each epoch")


@dataclass(frozen=True, kw_only=True)
class MemberDone(Record):
    """One training of a study or a search has come to its end.

    factors: the level of each factor.
    seed: its seed.
    fold: its fold, from 0.
    score: on the validation part, by name.
    diverged: whether its score says nothing.
    diverged_at: the step from which on no loss was finite; 0 where it did not diverge.
    epochs: done.
    scored_epoch: the one whose weights were scored, from 1; 0 where none was noted.
    dropped_at: the step at which it made way for better ones; left out where it did not.
    samples: of the validation part.
    round: of the search, from 1; left out in a study.
    """

    kind: ClassVar[str] = "member"
    factors: Mapping[str, Any]
    seed: int
    fold: int
    score: Score
    diverged: bool
    diverged_at: int = 0
    epochs: int = 0
    scored_epoch: int = 0
    dropped_at: int = field(default=0, metadata=SPARSE)
    samples: int | None = field(default=None, metadata=SPARSE)
    round: int | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True, kw_only=True)
class MemberFailed(Record):
    """One training failed; in a search without seed and fold a whole combination, which cannot be trained.

    factors: the level of each factor.
    seed: its seed.
    fold: its fold, from 0.
    round: of the search, from 1; left out in a study.
    reason: why, in the language of the study.
    """

    kind: ClassVar[str] = "failed"
    factors: Mapping[str, Any]
    seed: int | None = field(default=None, metadata=SPARSE)
    fold: int | None = field(default=None, metadata=SPARSE)
    round: int | None = field(default=None, metadata=SPARSE)
    reason: str


@dataclass(frozen=True, kw_only=True)
class TrainingsDone(Record):
    """A stretch of work has ended, by itself or by an interruption.

    seconds: that it took.
    """

    kind: ClassVar[str] = "done"
    seconds: float


@dataclass(frozen=True, kw_only=True)
class StudyLooked(Record):
    """All that was planned is trained: what is read from here on is an answer.

    seeds: how many there were.
    """

    kind: ClassVar[str] = "look"
    seeds: int | None = None


@dataclass(frozen=True, kw_only=True)
class BaselineDone(Record):
    """What an estimator of scikit-learn reaches.

    baseline: its name.
    seed: its seed.
    fold: its fold, from 0.
    score: on the validation part, by name.
    """

    kind: ClassVar[str] = "baseline"
    baseline: str
    seed: int
    fold: int
    score: Score


@dataclass(frozen=True, kw_only=True)
class BestChosen(Record):
    """The combination that is chosen, trained once more and scored on the test part.

    factors: its levels.
    validation: its mean scores on the validation parts.
    run: the name of its run, in the study's folder.
    refit: whether it was trained on the validation part too.
    """

    kind: ClassVar[str] = "best"
    factors: Mapping[str, Any] = field(default_factory=dict[str, Any])
    validation: Score = field(default_factory=dict[str, float])
    run: str = ""
    refit: bool = True


@dataclass(frozen=True, kw_only=True)
class RoundBegan(Record):
    """A round of a search begins; one that was interrupted stands twice.

    number: from 1.
    points: the settings of each trial.
    """

    kind: ClassVar[str] = "round"
    number: int
    points: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class RoundDone(Record):
    """A round of a search has come to its end.

    number: from 1.
    seconds: that it took.
    """

    kind: ClassVar[str] = "round-end"
    number: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class NothingFound(Record):
    """A study or a search has ended, and nothing trained to its end."""

    kind: ClassVar[str] = "nothing"
