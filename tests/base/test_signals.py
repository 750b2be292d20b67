"""Signals are answered as before, whatever a library has made of that."""

import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from danlu.base.signals import ChildDeaths, signals_kept


def other(number: int, frame: FrameType | None) -> None:
    """The way of a library."""


@pytest.mark.parametrize(
    "before", [signal.SIG_DFL, signal.SIG_IGN, lambda number, frame: None], ids=["none", "no", "own"]
)
def test_what_a_library_leaves_behind_is_taken_back(before: signal.Handlers) -> None:
    kept = signal.signal(signal.SIGTERM, before)
    try:
        with signals_kept():
            signal.signal(signal.SIGTERM, other)
        assert signal.getsignal(signal.SIGTERM) == before
    finally:
        signal.signal(signal.SIGTERM, kept)


def test_another_thread_which_may_set_none_goes_through() -> None:
    went: list[bool] = []

    def work() -> None:
        with signals_kept():
            went.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert went == [True]


def torchs(number: int, frame: FrameType | None) -> None:
    """As torch answers where the worker of a DataLoader has died."""
    raise RuntimeError("a worker died")


def die() -> None:
    os.kill(os.getpid(), signal.SIGCHLD)


@pytest.fixture
def answered() -> Iterator[None]:
    """Deaths of children are answered as torch does; that is so again, whatever the test did."""
    kept = signal.signal(signal.SIGCHLD, torchs)
    yield
    assert signal.getsignal(signal.SIGCHLD) == torchs
    signal.signal(signal.SIGCHLD, kept)


@pytest.mark.usefixtures("answered")
def test_the_death_of_a_child_is_told_when_one_is_waited_for() -> None:
    deaths = ChildDeaths()
    with deaths.held():
        die()  # nothing is raised here
        with pytest.raises(RuntimeError, match="a worker died"), deaths.awaited():
            raise AssertionError("it is told before anything is done")
        with deaths.awaited():
            pass  # it is told once
        with pytest.raises(RuntimeError, match="a worker died"), deaths.awaited():
            die()
        with deaths.awaited(), deaths.awaited():
            pass
        die()  # nobody waits any more
    with pytest.raises(RuntimeError, match="a worker died"):
        die()


@pytest.mark.usefixtures("answered")
def test_blocks_may_end_in_another_order_than_they_began() -> None:
    deaths = ChildDeaths()
    one, other = deaths.held(), deaths.held()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    die()
    other.__exit__(None, None, None)


def test_where_nobody_answers_or_in_another_thread_nothing_is_changed() -> None:
    deaths, heard = ChildDeaths(), list[object]()

    def open_one() -> None:
        with deaths.held(), deaths.awaited():
            heard.append(signal.getsignal(signal.SIGCHLD))

    kept = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        open_one()
        signal.signal(signal.SIGCHLD, torchs)
        thread = threading.Thread(target=open_one)
        thread.start()
        thread.join()
        assert heard == [signal.SIG_DFL, torchs]
    finally:
        signal.signal(signal.SIGCHLD, kept)
