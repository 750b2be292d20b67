"""The history of a run that may still be going on: what came since the last look is all that is read."""

from pathlib import Path

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
        return self._course.history()
