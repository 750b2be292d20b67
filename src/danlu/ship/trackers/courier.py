"""A thread that reads a journal while it is written and tells one tracker of it: nothing there holds a training up."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from danlu.base.errors import Fault
from danlu.base.redacted import redacted
from danlu.ship.trackers.teller import Ending, Teller
from danlu.store.journal import Follower

_GLANCE = 1.0  # seconds between two looks at the journal
PATIENCE = 120.0  # seconds that the end waits for a tracker without a sign of life
_LONGEST = 300  # characters of a reason


class Courier:
    """Tells the tracker `name` what the journal at `path` says, from now on until `close`.

    `begin` makes what tells, in the thread. Where the tracker fails, `note` hears of it once, and the rest is left out.
    """

    def __init__(self, name: str, path: Path, begin: Callable[[], Teller], note: Callable[[Fault], None]) -> None:
        self._name, self._path, self._begin, self._note = name, path, begin, note
        self._over = threading.Event()
        self._ending = Ending("failed")
        self._alive = time.monotonic()
        self._silent = False
        context = contextvars.copy_context()  # the language in force
        self._thread = threading.Thread(target=context.run, args=(self._work,), name=f"danlu-track-{name}", daemon=True)
        self._thread.start()

    def end(self, ending: Ending) -> None:
        """The journal is complete: tell the rest of it, and how it ended."""
        self._ending = ending
        self._alive = time.monotonic()
        self._over.set()

    def wait(self, patience: float = PATIENCE) -> None:
        """Until all is told; no longer than `patience` seconds without a sign of life."""
        while self._thread.is_alive():
            self._thread.join(min(0.2, patience))
            if self._thread.is_alive() and time.monotonic() - self._alive > patience:
                self._silent = True
                self._note(Fault("track.hangs", {"tracker": self._name, "seconds": f"{patience:g}"}))
                return

    def _work(self) -> None:
        try:
            self._tell()
        except Exception as error:  # noqa: BLE001 - whatever a tracker raises, the training goes on
            if not self._silent:
                words = " ".join(str(error).split()) or type(error).__name__
                self._note(Fault("track.failed", {"tracker": self._name, "reason": redacted(words)[:_LONGEST]}))

    def _tell(self) -> None:
        teller, follower = self._begin(), Follower(self._path)
        while True:
            over = self._over.wait(_GLANCE)
            self._live(teller.take(follower.new()))
            if over:
                self._live(teller.end(self._ending))
                return

    def _live(self, steps: Iterator[None]) -> None:
        self._alive = time.monotonic()
        for _ in steps:
            self._alive = time.monotonic()
