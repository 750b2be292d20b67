"""The history of a run that may still be going on: what came since the last look is all that is read."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from danlu.store.history import Course, History
from danlu.store.journal import Follower


class LiveHistory:
    """Follows one journal.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> live = LiveHistory(path)
    >>> _ = path.write_text('{"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0], "lr": 0.1, "norm": null}\\n')
    >>> live.update().loss
    [2.0]
    """

    def __init__(self, path: Path) -> None:
        self._follower = Follower(path)
        self._course = Course()
        self._restarts = 0

    @property
    def behind(self) -> int:
        """Bytes of the journal that are there and not read yet."""
        return self._follower.behind

    def update(self, most: int | None = None) -> History:
        """All that is known by now, at most about `most` more bytes read for it. The lists are the reader's own, and
        later looks do not change them."""
        records = self._follower.new(most)
        if self._follower.restarts != self._restarts:
            self._restarts = self._follower.restarts
            self._course = Course()
        for record in records:
            self._course.add(record)
        history = self._course.history()
        return replace(history, skipped=history.skipped + self._follower.skipped)


class LiveRecords:
    """Follows the journal of a study: of all its records, those of the `kinds` that are wanted.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> _ = path.write_text('{"kind": "look", "seeds": 3}\\n{"kind": "done", "seconds": 1.5}\\n')
    >>> LiveRecords(path, {"done"}).update()
    [{'kind': 'done', 'seconds': 1.5}]
    """

    def __init__(self, path: Path, kinds: Collection[str]) -> None:
        self._follower = Follower(path)
        self._kinds = kinds
        self._records: list[dict[str, Any]] = []
        self._restarts = 0

    @property
    def behind(self) -> int:
        """Bytes of the journal that are there and not read yet."""
        return self._follower.behind

    @property
    def skipped(self) -> int:
        """The lines passed over so far."""
        return self._follower.skipped

    def update(self, most: int | None = None) -> list[dict[str, Any]]:
        """All that came by now, at most about `most` more bytes read for it. The list is the reader's own."""
        records = self._follower.new(most)
        if self._follower.restarts != self._restarts:
            self._restarts = self._follower.restarts
            self._records = []
        self._records += [record for record in records if record.get("kind") in self._kinds]
        return list(self._records)
