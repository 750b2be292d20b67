"""Keeps what a probe or a rule does wrong away from the user's training."""

from collections.abc import Callable
from typing import Any


class Guard:
    """Calls our own code; an exception in it is kept, told once, and that code is not called again.

    While one call runs, others are passed over: what a probe itself computes is not measured.
    """

    def __init__(self, tell: Callable[[str, Exception], None]) -> None:
        self._tell = tell
        self._busy = False
        self._broken: set[str] = set()

    def __call__(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._busy or (self._broken and _name(call) in self._broken):
            return None
        self._busy = True
        try:
            return call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - nothing of ours may end somebody's training
            self._note(call, error)
            return None
        finally:
            self._busy = False

    def within(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The same for a part of a call that runs already: when it breaks, the other parts go on."""
        if self._broken and _name(call) in self._broken:
            return None
        try:
            return call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - as above
            self._note(call, error)
            return None

    def _note(self, call: Callable[..., Any], error: Exception) -> None:
        self._broken.add(_name(call))
        self._tell(_name(call), error)


def _name(call: Callable[..., Any]) -> str:
    return f"{getattr(call, '__module__', '')}.{getattr(call, '__qualname__', type(call).__name__)}"
