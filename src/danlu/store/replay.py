"""Replaying a journal: its records one after the other, and what is known by then; also while it is written."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from danlu.store.journal import Follower, read
from danlu.store.records import MalformedRecordError, Record, record_of

Told_co = TypeVar("Told_co", covariant=True)


class Replay(ABC, Generic[Told_co]):
    """Takes the objects of a journal one by one. `skipped` counts those that are malformed, `unknown` those of kinds
    that this danlu does not know, because a newer one wrote them."""

    def __init__(self) -> None:
        self.skipped = 0
        self.unknown = 0

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> Self:
        """The replay of all `entries`."""
        replay = cls()
        for entry in entries:
            replay.add(entry)
        return replay

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """The replay of the journal at `path`; UserError where it cannot be read."""
        entries = read(path)
        replay = cls.of(entries)
        replay.skipped += entries.skipped
        return replay

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take in the next object."""
        try:
            record = record_of(entry)
        except MalformedRecordError:
            self.skipped += 1
            return
        if record is None:
            self.unknown += 1
        else:
            self.take(record)

    @abstractmethod
    def take(self, record: Record) -> None:
        """Take in the next record; one that does not concern this history is passed over."""

    @abstractmethod
    def told(self, damaged: int = 0) -> Told_co:
        """What is known by now, `damaged` lines of the file being no objects at all. It is the reader's own: what is
        added later does not change it."""


class LiveReplay(Generic[Told_co]):
    """Follows one journal, of a run or a study, that may still be written: only what came is read.

    >>> import tempfile
    >>> from danlu.store.run_history import RunReplay
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> live = LiveReplay(path, RunReplay)
    >>> _ = path.write_text('{"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0], "lr": 0.1, "norm": null}\\n')
    >>> live.update().loss
    [2.0]
    """

    def __init__(self, path: Path, make: Callable[[], Replay[Told_co]]) -> None:
        self._follower = Follower(path)
        self._make = make
        self._replay = make()
        self._restarts = 0

    @property
    def behind(self) -> int:
        """Bytes of the journal that are there and not read yet."""
        return self._follower.behind

    def update(self, most: int | None = None) -> Told_co:
        """All that is known by now, at most about `most` more bytes read for it."""
        entries = self._follower.new(most)
        if self._follower.restarts != self._restarts:
            self._restarts = self._follower.restarts
            self._replay = self._make()
        for entry in entries:
            self._replay.add(entry)
        return self._replay.told(self._follower.skipped)
