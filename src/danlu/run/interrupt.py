"""Ctrl-C and SIGTERM: the first asks the loop to end after its step, a second Ctrl-C stops at once.

A second SIGTERM does not: who sends it (a scheduler, a service manager) sends it often, and kills who does not obey.
"""

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType, TracebackType
from typing import Any, Self

from danlu.base.events import Event, Stop


class Interrupted(KeyboardInterrupt):
    """A training was told to stop: it can be resumed from `folder`, if `saved` at the very step that it was stopped."""

    def __init__(self, folder: str, *, saved: bool) -> None:
        super().__init__(folder)
        self.folder = folder
        self.saved = saved


@contextlib.contextmanager
def interrupted_as(folder: str) -> Generator[None]:
    """A training told to stop inside the block is the stop of all that lies in `folder`."""
    try:
        yield
    except Interrupted as stopped:
        raise Interrupted(folder, saved=stopped.saved) from stopped


class Interrupt:
    """A listener that, while entered, takes the signals over (in the main thread; elsewhere Python cannot)."""

    def __init__(self, folder: str) -> None:
        self.asked = False
        self._folder = folder
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self, event: Event) -> Stop | None:
        return Stop("interrupted") if self.asked else None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise Interrupted(self._folder, saved=False)
        self.asked = True
