"""The course of one training, line by line: sessions, steps, epochs, checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from danlu.base.records import Score
from danlu.store.records.reading import SPARSE, MalformedRecordError
from danlu.store.records.record import Numbers, Record


@dataclass(frozen=True, kw_only=True)
class ParentRun:
    """The run that another began from, which stays as it is.

    name: of its folder.
    folder: where it lay.
    weights: SHA-256 of the file of the weights that were taken.
    epoch: after which of its epochs.
    further: whether its training goes on (optimiser, epochs and curves too), or its weights alone were taken.
    """

    name: str
    folder: str
    weights: str
    epoch: int
    further: bool


@dataclass(frozen=True, kw_only=True)
class ImportedFrom:
    """The log of another program that a run was taken over from: there are no weights.

    source: "tensorboard" or "csv".
    files: where they lay.
    """

    source: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunStarted(Record):
    """The first session of a run begins: all that a journal tells before it is void.

    epochs: planned; 0 where it is not known.
    steps_per_epoch: 0 where it is not known.
    fingerprint: of the recipe.
    loading: seconds from the call to the first step: imports, data, net.
    version: of the format of what follows; 1, that of danlu 0.1, where none stands.
    parent: the run that it begins from: name, folder, SHA-256 of the weights taken, epoch, and whether its training
        goes on; what follows then holds its earlier epochs too.
    imported: the log of another program that all of it was taken over from: "tensorboard" or "csv", and its files.
    """

    kind: ClassVar[str] = "start"
    epochs: int = 0
    steps_per_epoch: int = 0
    fingerprint: str = ""
    loading: float = 0.0
    version: int = 1
    parent: ParentRun | None = field(default=None, metadata=SPARSE)
    imported: ImportedFrom | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True, kw_only=True)
class RunResumed(Record):
    """A later session goes on from a checkpoint: all that was told of later steps is void.

    step: the step of the checkpoint, from 1; 0 where the run begins anew.
    loading: seconds from the call to the first step.
    """

    kind: ClassVar[str] = "resume"
    step: int
    loading: float = 0.0


@dataclass(frozen=True, kw_only=True)
class StepsTaken(Record):
    """Up to 200 steps in a row, each half second; a value a step.

    first: the first of them, from 1 over the whole run.
    epoch: theirs, from 1.
    loss: mean loss of each batch, before the update.
    lr: learning rates; a single number where they are all the same.
    norm: L2 norms of the gradient before clipping; null where it was not measured.
    """

    kind: ClassVar[str] = "steps"
    first: int
    epoch: int
    loss: Sequence[float]
    lr: float | Sequence[float]
    norm: Numbers = None

    @property
    def last(self) -> int:
        return self.first + len(self.loss) - 1

    @property
    def rates(self) -> Sequence[float]:
        """The learning rate of each step."""
        return [self.lr] * len(self.loss) if not isinstance(self.lr, Sequence) else self.lr

    @property
    def norms(self) -> Sequence[float | None]:
        """The norm of each step's gradient, None where it was not measured."""
        return self.norm or [None] * len(self.loss)

    def check(self) -> None:
        if not len(self.loss) == len(self.rates) == len(self.norms):
            raise MalformedRecordError("a block's lists must be of one length")


@dataclass(frozen=True, kw_only=True)
class EpochEnded(Record):
    """An epoch is done, its validation included; one that was done over after a resume stands twice, the later counts.

    epoch: from 1.
    step: its last one.
    train: scores by name, means over the epoch's batches: "loss", and the task's metrics.
    validation: scores on the validation part; null where there is none.
    best: whether the validation score is the best so far.
    seconds: of training and validation.
    """

    kind: ClassVar[str] = "epoch"
    epoch: int
    step: int
    train: Score
    validation: Score | None = None
    best: bool = False
    seconds: float


@dataclass(frozen=True, kw_only=True)
class MicroBatchChosen(Record):
    """From a step on, a batch is computed in portions, for memory holds no larger ones; their gradients are added up.

    step: the first one.
    samples: of a portion at most.
    batch: samples of a whole batch.
    ran_out: whether memory ran out in that step, which was then done over; else it is what was tried at the beginning.
    """

    kind: ClassVar[str] = "micro-batch"
    step: int
    samples: int
    batch: int
    ran_out: bool = False

    def check(self) -> None:
        if self.step < 1 or not 1 <= self.samples <= self.batch:
            raise MalformedRecordError("a micro-batch has samples of a batch, from a step on")


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Record):
    """A checkpoint is on the disk.

    step: the last one that is in it.
    """

    kind: ClassVar[str] = "checkpoint"
    step: int


@dataclass(frozen=True, kw_only=True)
class RunStopped(Record):
    """A session ended before the run: it can go on, but for a script's that "crashed".

    step: the last one.
    reason: "interrupted", or "crashed".
    """

    kind: ClassVar[str] = "stop"
    step: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RunEnded(Record):
    """The run is done.

    step: the last one.
    epochs: done.
    seconds: of training, validation included, in all sessions.
    reason: "finished", "early" for want of a better validation score, or "imported" from another program's log.
    diverged: the step from which on no loss was finite; null where it did not diverge.
    score: by part ("train", "validation", "test") the scores by name, of the weights that the recipe asks for.
    """

    kind: ClassVar[str] = "end"
    step: int = 0
    epochs: int = 0
    seconds: float
    reason: str = ""
    diverged: int | bool | None = None
    score: Mapping[str, Score | None]
