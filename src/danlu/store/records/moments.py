"""What is seen of a training at moments on its way: where its time goes, and what the net is like by then."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from danlu.store.records.reading import SPARSE, MalformedRecordError
from danlu.store.records.record import Numbers, Record


@dataclass(frozen=True, kw_only=True)
class TimeSpent(Record):
    """Where the time of a stretch of the training went: from the line of this kind before, or from where the session's
    training began. What each kind of work took is estimated from steps that were timed; the rest is everything else.

    step: the last one.
    seconds: of the stretch.
    data: seconds of waiting for batches.
    forward: seconds of the forward pass and the loss.
    backward: seconds of the backward pass.
    update: seconds of clearing and clipping gradients, and of the optimiser.
    validation: seconds of scoring the validation part.
    saving: seconds of writing checkpoints.
    processor: seconds of all cores together that the process computed.
    memory: bytes that the process holds at the end; 0 where that is not known.
    gpu: bytes of a GPU's memory that torch held at most so far; 0 where there is none.
    """

    kind: ClassVar[str] = "time"
    step: int
    seconds: float
    data: float = 0.0
    forward: float = 0.0
    backward: float = 0.0
    update: float = 0.0
    validation: float = 0.0
    saving: float = 0.0
    processor: float = 0.0
    memory: int = 0
    gpu: int = field(default=0, metadata=SPARSE)


@dataclass(frozen=True, kw_only=True)
class SamplesFollowed(Record):
    """Which samples of the validation part are followed: drawn from the recipe's seed, told once in each session.

    samples: their numbers in that part, from 0.
    actual: what each is: the index of its class, or a number in the unit of the target.
    classes: names of the classes; null for numbers.
    inputs: both numbers of each sample, as the net takes them, where that takes no more.
    """

    kind: ClassVar[str] = "followed"
    samples: Sequence[int]
    actual: Sequence[float]
    classes: Sequence[str] | None = None
    inputs: tuple[tuple[float, float], ...] = field(default=(), metadata=SPARSE)

    def check(self) -> None:
        if len(self.samples) != len(self.actual) or len(self.inputs) not in (0, len(self.samples)):
            raise MalformedRecordError("of each sample it is told what it is")
        if self.classes and any(not (at.is_integer() and 0 <= at < len(self.classes)) for at in self.actual):
            raise MalformedRecordError("a sample is of one of the classes")


@dataclass(frozen=True)
class BoundaryGrid:
    """What a net of two inputs answers: a row for each y, a number for each x. Of two classes it is the probability of
    the second, of more of them the index of the answer; else the predicted number."""

    xs: Sequence[float]
    ys: Sequence[float]
    values: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class MomentTaken(Record):
    """What the net was like after some epoch: at most 24 times in a session, spread over it.

    epoch: from 1.
    step: its last one.
    answers: to each sample that is followed: the index of a class, or a number in the unit of the target.
    likely: probability of each sample's actual class; null for numbers.
    confusion: counts over the validation part, a row for each actual class; null with more than 20 classes.
    filters: of the first layer that sees pictures, each as PNG in base64; mid-grey is a weight of 0.
    layer: its name.
    boundary: answers over both inputs "xs" and "ys" of a net that takes no more, "values" row by row.
    """

    kind: ClassVar[str] = "moment"
    epoch: int
    step: int
    answers: Numbers = None
    likely: Numbers = None
    confusion: Sequence[Sequence[int]] | None = field(default=None, metadata=SPARSE)
    filters: tuple[str, ...] = field(default=(), metadata=SPARSE)
    layer: str = field(default="", metadata=SPARSE)
    boundary: BoundaryGrid | None = field(default=None, metadata=SPARSE)

    def check(self) -> None:
        if any(len(row) != len(self.confusion or ()) for row in self.confusion or ()):
            raise MalformedRecordError("a confusion matrix has a row and a column for each class")
        if (grid := self.boundary) and (
            min(len(grid.xs), len(grid.ys)) < 2
            or len(grid.values) != len(grid.ys)
            or any(len(row) != len(grid.xs) for row in grid.values)
        ):
            raise MalformedRecordError("a boundary has a row for each y and a column for each x")


@dataclass(frozen=True)
class SamplePicture:
    """A sample by its number: its image as PNG in base64 where it is one, and what to call it."""

    sample: int
    png: str = field(default="", metadata=SPARSE)
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class SamplesPictured(Record):
    """What some of the samples look like that were followed: those that say most, chosen at the end.

    samples: each with its number "sample" in the validation part, "png" (base64) where it is a picture, and "text".
    """

    kind: ClassVar[str] = "pictured"
    samples: tuple[SamplePicture, ...] = ()
