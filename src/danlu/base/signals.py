"""How this process answers signals, which is the user's own affair."""

import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType


@contextlib.contextmanager
def signals_kept() -> Generator[None]:
    """After the block signals are answered as before: launchers and clusters answer them in their own way, and never
    put back what was there.
    """
    if not _in_main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in signal.valid_signals()}
    try:
        yield
    finally:
        for one, handler in before.items():
            if handler is not None and signal.getsignal(one) != handler:
                signal.signal(one, handler)


class ChildDeaths:
    """What answers the death of a child (torch's DataLoader raises an error where a worker has died), held back while
    other code runs: it would be raised in the midst of whatever the main thread does, or, where that is a destructor,
    be printed with its traceback. It comes when children are waited for.
    """

    def __init__(self) -> None:
        self._open, self._waiting = 0, False
        self._answer: Callable[[int, FrameType | None], object] | None = None
        self._late: RuntimeError | None = None

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """While this block or another is open, errors come in `awaited` alone. Where nothing answers, or in another
        thread than the main one, which alone hears of children, all stays as it is.
        """
        self._listen()
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._end()

    @contextlib.contextmanager
    def awaited(self) -> Generator[None]:
        """The error of a death comes in this block, at once; that of an earlier one at its beginning."""
        late, self._late = self._late, None
        if late is not None:
            raise late.with_traceback(None)  # it would keep alive what was at work when it came
        before, self._waiting = self._waiting, True
        try:
            yield
        finally:
            self._waiting = before
            self._listen()  # what answers may have come in this block

    def _listen(self) -> None:
        answer = signal.getsignal(signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else None
        if _in_main_thread() and callable(answer) and answer != self._hear:
            self._answer = answer
            signal.signal(signal.SIGCHLD, self._hear)

    def _end(self) -> None:
        self._late = None
        if self._answer and _in_main_thread() and signal.getsignal(signal.SIGCHLD) == self._hear:
            signal.signal(signal.SIGCHLD, self._answer)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        assert self._answer is not None
        try:
            self._answer(number, frame)
        except RuntimeError as error:
            if self._waiting or not self._open:
                raise
            self._late = error


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
