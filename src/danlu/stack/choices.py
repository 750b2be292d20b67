"""What a stopwatch or the free memory decides: once, so that it can be written down and decided so again.

Two forms of a convolution, stacks of another size, or other numbers of threads round the last digits differently. A
study that goes on must go on with what it began with.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

Decision = TypeVar("Decision")


class Choices:
    """Decisions by name, as plain values: those `known`, and those made since.

    >>> choices = Choices({"form": "apart"})
    >>> choices.once("form", lambda: "joined"), choices.once("members", lambda: 16), choices.unsaid()
    ('apart', 16, {'members': 16})
    """

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self._made = dict(known or {})
        self._unsaid: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def once(self, name: str, decide: Callable[[], Decision]) -> Decision:
        """The decision called `name`, made by `decide` where it has not been made; threads that ask together wait for
        the first."""
        with self._lock:
            own = self._locks.setdefault(name, threading.Lock())
        with own:
            if name not in self._made:
                self._made[name] = self._unsaid[name] = decide()
            return self._made[name]

    def known(self, name: str) -> Any:
        """The decision called `name`; None where it has not been made."""
        return self._made.get(name)

    def all(self) -> dict[str, Any]:
        """Every decision, by name."""
        with self._lock:
            return dict(self._made)

    def adopted(self, made: Mapping[str, Any]) -> bool:
        """Take over the decisions that another process made; False, and none of them, where one was made otherwise.

        >>> choices = Choices({"form": "apart"})
        >>> choices.adopted({"form": "joined"}), choices.adopted({"members": 8}), choices.unsaid()
        (False, True, {'members': 8})
        """
        with self._lock:
            if any(self._made.get(name, value) != value for name, value in made.items()):
                return False
            new = {name: value for name, value in made.items() if name not in self._made}
            self._made |= new
            self._unsaid |= new
            return True

    def unsaid(self) -> dict[str, Any]:
        """The decisions made since this was asked last."""
        with self._lock:
            new, self._unsaid = self._unsaid, {}
            return new


_in_force: list[Choices] = []
_in_thread: ContextVar[Choices | None] = ContextVar("choices", default=None)
_untimed: ContextVar[bool] = ContextVar("untimed", default=False)


def choices() -> Choices:
    """Those in force: in all threads of this process, for stacks are trained side by side. Outside of every `choosing`
    nothing is remembered: what one study decided is no other's business.
    """
    return _in_thread.get() or (_in_force[-1] if _in_force else Choices())


@contextlib.contextmanager
def choosing(own: Choices) -> Generator[Choices]:
    """Let `own` be in force in this process for the length of a block."""
    _in_force.append(own)
    try:
        yield own
    finally:
        _in_force.pop()


@contextlib.contextmanager
def choosing_here(own: Choices) -> Generator[Choices]:
    """Let `own` be in force in this thread alone: a worker of a cluster trains stacks of several studies at once."""
    before = _in_thread.set(own)
    try:
        yield own
    finally:
        _in_thread.reset(before)


@contextlib.contextmanager
def untimed() -> Generator[None]:
    """For the length of a block nothing is timed in this thread: it only tries something whose numbers nobody keeps."""
    before = _untimed.set(True)
    try:
        yield
    finally:
        _untimed.reset(before)


def is_untimed() -> bool:
    """Whether this thread is in an `untimed` block."""
    return _untimed.get()
