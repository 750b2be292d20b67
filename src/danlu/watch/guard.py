"""Keeps what a probe or a rule does wrong away from the user's training."""

from collections.abc import Callable
from typing import Any

from danlu.watch.tracing import without_modes

_TOLD_AFTER = 3  # failures in a row: one tensor that cannot be read is no reason to speak
_MOST_PASSED_OVER = 1_024


class _Failing:
    """A call that has failed, so often in a row; `pause` more of its calls are passed over."""

    def __init__(self, facts: tuple[str, ...]) -> None:
        self.facts = facts
        self.times = self.pause = 0
        self.told = False


class Guard:
    """Calls our own code; an exception in it is kept, and told once where it comes again and again.

    A call that fails is tried again, ever more seldom; one success, and it is whole again. While one call runs, others
    are passed over: what a probe itself computes is not measured.
    """

    def __init__(self, tell: Callable[[str, Exception], None]) -> None:
        self._tell = tell
        self.prepare: Callable[[], None] = lambda: None  # comes before each call
        self.halt: BaseException | None = None  # raised once the call under way is done: the user's wish, no failure
        self._busy = self._closed = False
        self._failing: dict[str, _Failing] = {}

    def __call__(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._busy or self._closed:
            return None
        self._busy = True
        self.prepare()
        try:
            with without_modes():
                answer = self.within(call, *args, **kwargs)
        finally:
            self._busy = False
        if self.halt is not None:
            halt, self.halt = self.halt, None
            raise halt
        return answer

    def within(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The same for a part of a call that runs already: when it breaks, the other parts go on."""
        failing = self._failing.get(_name(call)) if self._failing else None
        if failing and failing.pause:
            failing.pause -= 1
            return None
        try:
            answer = call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - nothing of ours may end somebody's training
            self._note(call, error)
            return None
        if failing:
            failing.times = 0
        return answer

    def open(self) -> None:
        """Make calls again."""
        self._closed = False

    def close(self) -> None:
        """Call nothing any more but what comes by `within`: somebody may have kept what calls us."""
        self._closed = True

    @property
    def blind(self) -> dict[str, str]:
        """What is not measured now, because the call that measures it fails: facts of Measured, and that call."""
        return {fact: name for name, one in self._failing.items() if one.times for fact in one.facts}

    def fails(self, call: Callable[..., Any]) -> bool:
        """Whether the newest call of it has failed."""
        failing = self._failing.get(_name(call))
        return failing is not None and failing.times > 0

    def _note(self, call: Callable[..., Any], error: Exception) -> None:
        name = _name(call)
        facts = getattr(getattr(call, "__self__", None), "writes", ())
        failing = self._failing.setdefault(name, _Failing(facts))
        failing.times += 1
        if failing.times >= _TOLD_AFTER:
            failing.pause = min(2 ** (failing.times - _TOLD_AFTER), _MOST_PASSED_OVER)
            if not failing.told:
                failing.told = True
                self._tell(name, error)


def _name(call: Callable[..., Any]) -> str:
    return f"{getattr(call, '__module__', '')}.{getattr(call, '__qualname__', type(call).__name__)}"
