"""What a cluster must be able to do for danlu: one protocol; each backend is the one place that knows its library."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

Gone = Callable[[], bool]
Work = Callable[[Any, Any, Gone], Any]
"""What a worker does: with what it holds already, what it was sent, and a function that says when nobody wants it."""


@dataclass(frozen=True)
class Resources:
    """What the workers have now: `slots` are tasks at a time, `processes` what they run in, `memory` bytes a slot."""

    slots: int
    processes: int
    memory: int


@dataclass(frozen=True)
class Ended:
    """A task has come back."""

    outcome: Any


@dataclass(frozen=True)
class Lost:
    """A task has not come back: its worker is gone, or it was ended for its "memory", or what it was to work on is
    not in the cluster any more ("data"), or the work cannot even begin there ("error", with what was `said`)."""

    why: str
    said: str = ""


@dataclass(frozen=True)
class Place:
    """A worker as it describes itself."""

    danlu: str
    torch: str
    python: str
    instructions: str  # those that torch computes with: the last digits depend on them


@runtime_checkable
class Cluster(Protocol):
    """A cluster to which trainings are sent. Tickets name tasks under way; what is held is sent to the workers once."""

    name: str

    def resources(self) -> Resources: ...

    def places(self, look: Callable[[], Place]) -> Sequence[Place]:
        """What `look` says on each worker. ImportError where danlu is not there, OSError where one does not answer."""
        ...

    def hold(self, value: Any) -> Any:
        """Put a value into the cluster's object store, once; the handle goes with each task."""
        ...

    def submit(self, work: Work, held: Any, sent: Any, beside: Hashable | None = None) -> Hashable:
        """Send a task; `beside` is the ticket of the same one that is slow: this copy runs elsewhere, if it can."""
        ...

    def ended(self, seconds: float) -> Sequence[tuple[Hashable, Ended | Lost]]:
        """The tasks that have ended since this was asked last; waits so long for the first."""
        ...

    def drop(self, tickets: Sequence[Hashable]) -> None:
        """Nobody wants these any more: those that run are told so."""
        ...

    def close(self) -> None: ...
