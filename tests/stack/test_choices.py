"""What a stopwatch decides is decided once: by name, for all threads, and as it was written down."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from danlu.stack import Choices, choices, choosing
from danlu.stack.convolution import Convolution
from danlu.stack.layers import Surroundings
from danlu.stack.layout import Layout


def test_threads_that_ask_together_hear_the_same() -> None:
    own = Choices()
    asked: list[int] = []

    def decide() -> int:
        time.sleep(0.02)
        asked.append(threading.get_ident())
        return len(asked)

    heard: list[int] = []
    threads = [threading.Thread(target=lambda: heard.append(own.once("a", decide))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [1] * 8
    assert own.unsaid() == {"a": 1}
    assert own.unsaid() == {}


def convolution() -> tuple[Convolution, torch.Tensor]:
    layers = [nn.Conv2d(2, 3, 3) for _ in range(2)]
    around = Surroundings(Layout.of([0, 1], torch.device("cpu")), channels_last=False)
    around.samples = 4
    return Convolution(layers, around), torch.ones(8, 2, 5, 5)


def fails(*_: object) -> Any:
    pytest.fail("timed again")


def noted(own: Callable[..., Any], way: str, ways: list[str]) -> Callable[..., Any]:
    def called(*args: Any) -> Any:
        ways.append(way)
        return own(*args)

    return called


@pytest.mark.parametrize("form", ["apart", "joined"])
def test_a_convolution_takes_the_form_that_was_written_down(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, x = convolution()
    with choosing(Choices()) as made:
        first(x)
        (name,) = made.unsaid()
    ways: list[str] = []
    monkeypatch.setattr(Convolution, "_faster", fails)
    for way in ("apart", "joined"):
        monkeypatch.setattr(Convolution, f"_{way}", noted(getattr(Convolution, f"_{way}"), way, ways))
    again, _ = convolution()
    with choosing(Choices({name: form})) as made:
        again(x)
        assert made.unsaid() == {}
    assert ways == [form]


def test_those_of_another_block_come_back_into_force() -> None:
    with choosing(Choices({"a": 0})):
        with choosing(Choices({"a": 1})):
            assert choices().known("a") == 1
        assert choices().known("a") == 0
    # Outside of every block nothing is remembered.
    assert choices().once("a", lambda: 2) == 2
    assert choices().known("a") is None
