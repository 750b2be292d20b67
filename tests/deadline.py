"""An answer is due: what does not come within a time that only a hang takes is a failure."""

import contextlib
import signal
from collections.abc import Generator
from typing import Any

SECONDS = 20  # a hang, on a machine that does other things as well


@contextlib.contextmanager
def at_once() -> Generator[None]:
    """Fails where the block has not ended within SECONDS."""

    def late(*_: Any) -> None:
        raise AssertionError("no answer")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
