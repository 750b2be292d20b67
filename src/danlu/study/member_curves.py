"""The listener that writes how the members of a stack come on into the study's journal: thinned, and as they do."""

import time
from collections.abc import Callable, Mapping, Sequence

from danlu.base.events import EpochDone, StackEvent
from danlu.stack import RunningStack
from danlu.store.records import EpochEnded, MemberEpochs, Record, StackBegan
from danlu.study.member_key import MemberKey

Write = Callable[[Record], None]

# Of all members of a study together so many points are kept, but of each at least so many, and no more than a chart has
# room for.
_ALL_POINTS = 50_000
_LEAST_POINTS, _MOST_POINTS = 12, 100
_DIGITS = 5
_SECONDS = 1.0  # between two lines, about


def points_each(members: int) -> int:
    """How many points of a curve are kept in a study of so many members.

    >>> points_each(120), points_each(1_000), points_each(10**6)
    (100, 50, 12)
    """
    return max(_LEAST_POINTS, min(_MOST_POINTS, _ALL_POINTS // max(1, members)))


def is_kept(epoch: int, epochs: int, points: int) -> bool:
    """Whether an epoch is one of about so many, spread evenly, the first and the last among them.

    >>> [epoch for epoch in range(1, 11) if is_kept(epoch, 10, 4)]
    [1, 3, 5, 8, 10]
    """
    return epoch == 1 or epoch * points // epochs > (epoch - 1) * points // epochs


def stack_record(name: str, keys: Sequence[MemberKey]) -> StackBegan:
    """The record of the trainings `keys`, which are carried out together."""
    numbers: dict[str, int] = {}
    combinations: list[Mapping[str, object]] = []
    members: list[tuple[int, int, int]] = []
    for key in keys:
        text = str(key.factors)
        if text not in numbers:
            numbers[text] = len(combinations)
            combinations.append(key.factors)
        members.append((numbers[text], key.seed, key.fold))
    return StackBegan(stack=name, combinations=tuple(combinations), members=tuple(members))


def rounded(values: Sequence[float]) -> list[float | None]:
    """Numbers as a curve needs them; NaN, which stands for none, as None.

    >>> rounded([1 / 3, float("nan"), float("inf")])
    [0.33333, None, inf]
    """
    return [float(f"{value:.{_DIGITS}g}") if value == value else None for value in values]


class MemberCurves:
    """Writes the epochs of one stack, whose members are `keys`, under the name `name`: of each score the loss and
    `metric`. Several epochs that end within moments share a line.
    """

    def __init__(
        self, stack: RunningStack, name: str, keys: Sequence[MemberKey], metric: str, points: int, write: Write
    ) -> None:
        self._stack = stack
        self._name = name
        self._metrics = ("loss", metric)
        self._points = points
        self._write = write
        self._written_at = time.monotonic()
        self._begin()
        write(stack_record(name, keys))

    def _begin(self) -> None:
        self._epochs: list[int] = []
        self._train: list[list[float | None]] = []
        self._validation: dict[str, list[list[float | None] | None]] = {name: [] for name in self._metrics}

    def __call__(self, event: StackEvent) -> None:
        if not isinstance(event, EpochDone):
            return
        progress = self._stack.progress
        if is_kept(event.epoch, progress.epochs, self._points):
            self._epochs.append(event.epoch)
            self._train.append(self._row(event.train["loss"].tolist()))
            for name, rows in self._validation.items():
                scores = (event.validation or {}).get(name)
                rows.append(None if scores is None else self._row(scores.tolist()))
        if progress.ended_early or time.monotonic() - self._written_at > _SECONDS:
            self.flush()

    def _row(self, values: Sequence[float]) -> list[float | None]:
        """Numbers of the members that the stack still holds, among those of all that began."""
        row: list[float | None] = [None] * len(self._stack.progress.done)
        for member, value in zip(self._stack.progress.here, rounded(values), strict=True):
            row[member] = value
        return row

    def flush(self) -> None:
        """Write what has come since the last line."""
        self._written_at = time.monotonic()
        if not self._epochs:
            return
        validation = {name: rows for name, rows in self._validation.items() if any(row is not None for row in rows)}
        self._write(MemberEpochs(stack=self._name, epochs=self._epochs, train=self._train, validation=validation))
        self._begin()


def course_of(epochs: Sequence[EpochEnded]) -> tuple[EpochEnded, ...]:
    """The epochs of a training that a curve of it may need."""
    last = epochs[-1].epoch if epochs else 1
    return tuple(one for one in epochs if is_kept(one.epoch, last, _MOST_POINTS))


def write_course(
    name: str, key: MemberKey, course: Sequence[EpochEnded], metric: str, points: int, write: Write
) -> None:
    """Write the epochs of a training that was carried out by itself, under the name `name`."""
    last = course[-1].epoch if course else 1
    kept = [one for one in course if is_kept(one.epoch, last, points)]
    if not kept:
        return
    measured = [one.validation or {} for one in kept]
    validation = {
        score: [rounded([scores[score]]) if score in scores else None for scores in measured]
        for score in ("loss", metric)
        if any(score in scores for scores in measured)
    }
    epochs, train = [one.epoch for one in kept], [rounded([one.train["loss"]]) for one in kept]
    write(stack_record(name, [key]))
    write(MemberEpochs(stack=name, epochs=epochs, train=train, validation=validation))
