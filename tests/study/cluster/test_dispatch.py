"""What sends pieces to a cluster, against one that is made up: each counts once, whatever becomes of the workers."""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from danlu.base.errors import Fault, UserError
from danlu.study.cluster import dispatch
from danlu.study.cluster.dispatch import Dispatch, Held, WorkItem
from danlu.study.cluster.protocol import Ended, Lost, Place, Resources


@dataclass
class FakeCluster:
    """Answers each task at once by `answers`, which says Ended, Lost, or None: never."""

    answers: Callable[[Any, int], Ended | Lost | None]
    slots: int = 2
    name: str = "fake"
    sent: list[Any] = field(default_factory=list[Any])
    beside: list[Hashable] = field(default_factory=list[Hashable])
    dropped: list[Hashable] = field(default_factory=list[Hashable])
    held: int = 0
    _done: deque[tuple[Hashable, Ended | Lost]] = field(default_factory=deque[tuple[Hashable, Ended | Lost]])

    def resources(self) -> Resources:
        return Resources(self.slots, self.slots, 2**30)

    def places(self, look: Callable[[], Place]) -> Sequence[Place]:
        return [look()]

    def hold(self, value: Any) -> Any:
        self.held += 1
        return value

    def submit(self, work: Any, held: Any, sent: Any, beside: Hashable | None = None) -> Hashable:
        self.sent.append(sent)
        self.beside += [] if beside is None else [beside]
        answer = self.answers(sent, len(self.sent))
        if answer is not None:
            self._done.append((len(self.sent), answer))
        return len(self.sent)

    def ended(self, seconds: float) -> Sequence[tuple[Hashable, Ended | Lost]]:
        return [self._done.popleft()] if self._done else []

    def drop(self, tickets: Sequence[Hashable]) -> None:
        self.dropped += tickets

    def close(self) -> None:
        pass


@dataclass
class Told:
    """What a caller hears."""

    done: list[Any] = field(default_factory=list[Any])
    given_up: list[tuple[Any, str]] = field(default_factory=list[tuple[Any, str]])
    notes: list[Fault] = field(default_factory=list[Fault])
    again: Callable[[WorkItem], Sequence[WorkItem]] = lambda piece: []

    def took(self, piece: WorkItem, outcome: Any) -> Sequence[WorkItem]:
        again = self.again(piece)
        self.done += [] if again else [piece.what]
        return again

    def gave_up(self, piece: WorkItem, lost: Lost) -> Sequence[WorkItem]:
        self.given_up.append((piece.what, lost.why))
        return []


def dispatched(
    cluster: FakeCluster, told: Told, pieces: Sequence[WorkItem], stop: Callable[[], bool] = lambda: False
) -> Any:
    one = Dispatch(cluster, None, Held("value"), lambda what: what, told.took, told.gave_up, stop, told.notes.append)  # type: ignore[arg-type]
    return one, one.carry_out(pieces)


def test_each_piece_comes_back_once_whichever_worker_is_lost() -> None:
    cluster, told = FakeCluster(lambda sent, count: Lost("worker") if count in (1, 3, 4) else Ended(sent)), Told()
    one, whole = dispatched(cluster, told, [WorkItem(n) for n in range(6)])
    assert whole
    assert sorted(told.done) == list(range(6))
    assert (one.counts.lost, len(cluster.sent), told.given_up) == (3, 9, [])
    assert {fault.id for fault in told.notes} == {"cluster.worker-lost"}


def test_no_more_are_under_way_than_workers_have_use_for() -> None:
    most = [0]

    def answer(sent: Any, count: int) -> Ended:
        most[0] = max(most[0], count - len(told.done))
        return Ended(sent)

    cluster, told = FakeCluster(answer, slots=3), Told()
    dispatched(cluster, told, [WorkItem(n) for n in range(40)])
    assert most[0] == 6


@pytest.mark.parametrize(("why", "tries"), [("worker", 5), ("data", 5), ("memory", 1), ("error", 1)])
def test_what_costs_workers_again_and_again_is_given_up(why: str, tries: int) -> None:
    cluster, told = FakeCluster(lambda sent, count: Lost(why) if sent == "bad" else Ended(sent)), Told()
    dispatched(cluster, told, [WorkItem("bad"), WorkItem("good")])
    assert (told.given_up, told.done) == ([("bad", why)], ["good"])
    assert cluster.sent.count("bad") == tries


def test_data_that_are_gone_are_put_there_again() -> None:
    cluster, told = FakeCluster(lambda sent, count: Lost("data") if count == 1 else Ended(sent)), Told()
    dispatched(cluster, told, [WorkItem("a")])
    assert (cluster.held, told.done) == (2, ["a"])


def test_the_first_of_a_kind_decides_before_the_others_are_sent() -> None:
    order: list[str] = []

    def answer(sent: Any, count: int) -> Ended:
        order.append(f"sent {sent}")
        return Ended(sent)

    told = Told(again=lambda piece: order.append(f"back {piece.what}") or [])
    dispatched(FakeCluster(answer, slots=8), told, [WorkItem(n, kind="16") for n in range(3)])
    assert order[:2] == ["sent 0", "back 0"]
    assert sorted(told.done) == [0, 1, 2]


def test_a_decider_that_is_lost_leaves_the_others_waiting_for_its_next_try() -> None:
    cluster, told = FakeCluster(lambda sent, count: Lost("worker") if count < 3 else Ended(sent), slots=8), Told()
    dispatched(cluster, told, [WorkItem(n, kind="16") for n in range(3)])
    assert sorted(told.done) == [0, 1, 2]
    assert len(cluster.sent) == 5


def test_a_slow_one_is_copied_at_the_end_and_the_first_that_is_done_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_LEAST_SLOW", 0.0)
    monkeypatch.setattr(dispatch, "_SLOW", 0.0)
    cluster = FakeCluster(lambda sent, count: None if (sent, count) == ("slow", 1) else Ended(sent))
    told = Told()
    one, whole = dispatched(cluster, told, [WorkItem("slow"), *(WorkItem(n) for n in range(4))])
    assert whole
    assert sorted(map(str, told.done)) == ["0", "1", "2", "3", "slow"]
    assert (one.counts.copied, cluster.beside, cluster.dropped[0]) == (1, [1], 1)


def test_what_is_to_be_done_anew_is_done_anew() -> None:
    def halves(piece: WorkItem) -> Sequence[WorkItem]:
        return [WorkItem(piece.what[:1]), WorkItem(piece.what[1:])] if len(piece.what) > 1 else []

    told = Told(again=halves)
    dispatched(FakeCluster(lambda sent, count: Ended(sent)), told, [WorkItem("abc")])
    assert sorted(told.done) == ["a", "b", "c"]


def test_told_to_stop_it_drops_what_is_under_way() -> None:
    cluster, told = FakeCluster(lambda sent, count: None), Told()
    looks = iter([False, True])
    _, whole = dispatched(cluster, told, [WorkItem(1), WorkItem(2)], lambda: next(looks))
    assert not whole
    assert cluster.dropped == [1, 2]


def test_without_any_worker_for_long_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_PATIENCE", 0.0)
    with pytest.raises(UserError, match="fake: all workers are gone"):
        dispatched(FakeCluster(lambda sent, count: Ended(sent), slots=0), Told(), [WorkItem(1)])


def test_a_scheduler_that_is_gone_is_told() -> None:
    def gone(sent: Any, count: int) -> Ended:
        raise ConnectionResetError("in <TCP (closed) scatter>")

    with pytest.raises(UserError, match="fake: the scheduler does not answer any more"):
        dispatched(FakeCluster(gone), Told(), [WorkItem(1)])
