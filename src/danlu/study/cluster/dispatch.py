"""Sends pieces of work to a cluster and takes them back: each counts once, whatever becomes of the workers."""

import contextlib
import statistics
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from danlu.base.errors import Fault, UserError, fail
from danlu.study.cluster.address import without_secrets
from danlu.study.cluster.protocol import Cluster, Ended, Lost, Work

_GLANCE = 0.2  # seconds between two looks at whether to stop
_AHEAD = 2  # tasks a slot that are under way: one is trained, one waits at the worker
_LOOK = 5.0  # seconds between two looks at what workers there are
_PATIENCE = 60.0  # seconds without a single worker
_SLOW, _LEAST_SLOW = 3.0, 5.0  # times the median of all, and seconds, after which a task that is left is copied
_ENOUGH = 3  # tasks that tell what is usual
_LOSSES = 5  # of workers that one task may cost before it is taken for the reason


@contextlib.contextmanager
def _reaching(cluster: Cluster) -> Generator[None]:
    """UserError where the scheduler is gone; what has come back stands in the journal."""
    try:
        yield
    except OSError as error:  # a TimeoutError is one
        raise UserError(Fault("cluster.scheduler-lost", {"cluster": cluster.name})) from error


@dataclass(eq=False)
class WorkItem:
    """One piece of work: `what` is the caller's own; `kind` says which pieces decide alike, None: all do anyway."""

    what: Any
    kind: Hashable | None = None
    losses: int = 0
    tickets: list[Hashable] = field(default_factory=list[Hashable])
    sent_at: float = 0.0


@dataclass(eq=False)
class Held:
    """A value that every worker needs: in the cluster once, however many are sent there."""

    value: Any
    handle: Any = None
    put_at: float = 0.0

    def put(self, cluster: Cluster) -> None:
        """Put it there, or there again. UserError for what cannot be sent to another process."""
        try:
            with _reaching(cluster):
                self.handle, self.put_at = cluster.hold(self.value), time.monotonic()
        except (TypeError, AttributeError, ValueError) as error:
            raise UserError(Fault("cluster.not-sent", {"reason": without_secrets(str(error))})) from error


@dataclass
class Counts:
    """What happened, for those who measure."""

    sent: int = 0
    lost: int = 0
    copied: int = 0
    again: int = 0


@dataclass
class Dispatch:
    """`value` is what every worker needs, held in the cluster once; `sent` makes the task of a piece, when it is sent.

    `took` hears of an outcome, and says what is to be done anew (nothing, where all is well); `gave_up` hears of a
    piece that no worker brings back. Pieces of a kind wait until the first of them has come back.
    """

    cluster: Cluster
    work: Work
    value: Held
    sent: Callable[[Any], Any]
    took: Callable[[WorkItem, Any], Sequence[WorkItem]]
    gave_up: Callable[[WorkItem, Lost], Sequence[WorkItem]]
    asked_to_stop: Callable[[], bool]
    note: Callable[[Fault], None] = lambda fault: None
    counts: Counts = field(default_factory=Counts)
    _under_way: dict[Hashable, WorkItem] = field(default_factory=dict[Hashable, WorkItem])
    _took: list[float] = field(default_factory=list[float])
    _decided: set[Hashable] = field(default_factory=set[Hashable])
    _begun: set[Hashable] = field(default_factory=set[Hashable])
    _slots: int = 0
    _looked_at: float = 0.0
    _alive_at: float = field(default_factory=time.monotonic)

    def carry_out(self, pieces: Sequence[WorkItem]) -> bool:
        """True when all pieces have come back or were given up; False when told to break off."""
        waiting = deque(pieces)
        if self.value.handle is None:
            self.value.put(self.cluster)
        try:
            while waiting or self._under_way:
                if self.asked_to_stop():
                    return False
                self._look_at_workers()
                self._fill(waiting)
                if not waiting:
                    self._copy_slow_ones()
                with _reaching(self.cluster):
                    ended = self.cluster.ended(_GLANCE)
                for ticket, result in ended:
                    piece = self._under_way.pop(ticket, None)
                    if piece is not None:
                        waiting.extend(self._ended(piece, ticket, result))
        finally:
            with contextlib.suppress(OSError):  # the scheduler may be gone
                self.cluster.drop(list(self._under_way))
            self._under_way.clear()
        return True

    def _look_at_workers(self) -> None:
        now = time.monotonic()
        if self._slots and now - self._looked_at < _LOOK:
            return
        with _reaching(self.cluster):
            slots, self._looked_at = self.cluster.resources().slots, now
        if slots:
            self._alive_at = now
        elif now - self._alive_at > _PATIENCE:
            fail("cluster.no-workers", cluster=self.cluster.name)
        self._slots = slots

    def _fill(self, waiting: "deque[WorkItem]") -> None:
        for _ in range(len(waiting)):
            if len(self._under_way) >= _AHEAD * self._slots:
                return
            piece = waiting.popleft()
            if piece.kind is not None and piece.kind in self._begun and piece.kind not in self._decided:
                waiting.append(piece)
                continue
            self._begun |= {piece.kind}
            self._send(piece)

    def _send(self, piece: WorkItem, beside: Hashable | None = None) -> None:
        with _reaching(self.cluster):
            ticket = self.cluster.submit(self.work, self.value.handle, self.sent(piece.what), beside)
        if beside is None:
            piece.sent_at = time.monotonic()
        piece.tickets.append(ticket)
        self._under_way[ticket] = piece
        self.counts.sent += 1

    def _copy_slow_ones(self) -> None:
        """While slots stand idle at the end, train what takes too long once more: the first that is done counts."""
        idle, now = self._slots - len(self._under_way), time.monotonic()
        if idle <= 0 or len(self._took) < _ENOUGH:
            return
        slow = max(_LEAST_SLOW, _SLOW * statistics.median(self._took))
        for piece in dict.fromkeys(self._under_way.values()):
            if idle > 0 and len(piece.tickets) == 1 and now - piece.sent_at > slow:
                self._send(piece, beside=piece.tickets[0])
                self.counts.copied += 1
                idle -= 1

    def _ended(self, piece: WorkItem, ticket: Hashable, result: Ended | Lost) -> Sequence[WorkItem]:
        """What is to be done anew for it."""
        piece.tickets.remove(ticket)
        if isinstance(result, Lost):
            return self._missed(piece, result)
        others = list(piece.tickets)
        self.cluster.drop(others)
        for other in others:
            self._under_way.pop(other, None)
        piece.tickets.clear()
        self._took.append(time.monotonic() - piece.sent_at)
        self._decided |= {piece.kind}
        again = self.took(piece, result.outcome)
        self.counts.again += len(again)
        return again

    def _missed(self, piece: WorkItem, result: Lost) -> Sequence[WorkItem]:
        self.counts.lost += 1
        if piece.tickets:  # a copy of it is still under way
            return []
        if result.why == "data" and piece.sent_at > self.value.put_at:
            self.value.put(self.cluster)
        piece.losses += 1
        self._looked_at = 0.0
        if result.why not in ("memory", "error") and piece.losses < _LOSSES:
            if piece.losses == 1:
                self.note(Fault("cluster.worker-lost", {"cluster": self.cluster.name}))
            self._begun -= {piece.kind} - self._decided
            return [piece]
        self._decided |= {piece.kind}
        return self.gave_up(piece, result)
