"""Signals are answered as before, whatever a library has made of that."""

import signal
import threading
from types import FrameType

import pytest

from danlu.base.signals import signals_kept


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
