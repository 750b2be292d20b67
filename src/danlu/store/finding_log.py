"""The findings of a run in the order in which they were made, read while its journal is written."""

import time
from pathlib import Path

from danlu.base.records import Finding
from danlu.store.file_lock import is_locked
from danlu.store.journal import Follower
from danlu.store.records import (
    FindingAppeared,
    MalformedRecordError,
    Record,
    RunEnded,
    RunResumed,
    RunStarted,
    RunStopped,
    record_of,
)

_QUIET_SECONDS = 2.0  # without a line, after which it is asked whether anybody still writes: to ask takes the lock


class FindingLog:
    """Follows the journal at `path`; each `new` gives the findings that came since the call before.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> _ = path.write_text('{"kind": "end", "seconds": 1.0, "score": {}}\\n')
    >>> log = FindingLog(path)
    >>> log.new(), log.is_over
    ([], True)
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._follower = Follower(path)
        self._ended = False
        self._came_at = time.monotonic()

    def new(self) -> list[Finding]:
        """The findings that came."""
        found: list[Finding] = []
        for entry in self._follower.new():
            self._came_at = time.monotonic()
            try:
                record = record_of(entry)
            except MalformedRecordError:
                continue
            self._ended = self._over_by(record)
            if isinstance(record, FindingAppeared):
                found.append(record.finding)
        return found

    def _over_by(self, record: Record | None) -> bool:
        if isinstance(record, RunStarted | RunResumed):
            return False
        return self._ended or isinstance(record, RunEnded | RunStopped)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come: the run has ended, or no process has its journal any more."""
        quiet = time.monotonic() - self._came_at > _QUIET_SECONDS
        return self._ended or (quiet and not is_locked(self._path))
