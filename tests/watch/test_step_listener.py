"""Where the steps are: whose step of an optimiser ends one, what each is for, who is told, and what is nested."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from danlu.watch.guard import Guard
from danlu.watch.observer import Observer
from danlu.watch.patches import Patches
from danlu.watch.schedule import usual
from danlu.watch.step_listener import StepListener


@pytest.fixture
def net() -> nn.Module:
    return nn.Linear(2, 1)


@pytest.fixture
def listener(net: nn.Module) -> Iterator[StepListener]:
    listener = Observer({"": net}, usual, Guard(lambda name, error: pytest.fail(f"{name}: {error}")), Patches())
    yield listener
    listener.detach()


def step(listener: StepListener, *optimizers: Any) -> None:
    """One after another, each within the one before."""
    for one in optimizers:
        listener.before_step(one, (one,), {})
    for one in reversed(optimizers):
        listener.after_step(one, (one,), {})


def test_of_several_optimisers_one_leads(net: nn.Module, listener: StepListener) -> None:
    first, second = (torch.optim.SGD([one], lr=0.1) for one in net.parameters())
    for _ in range(3):
        step(listener, first)
        step(listener, second)
    assert listener.measured.step == 3
    assert [one.steps for one in listener.measured.optimisers] == [3, 3]


def test_an_optimiser_of_other_parameters_ends_no_step(net: nn.Module, listener: StepListener) -> None:
    ours = torch.optim.SGD(net.parameters(), lr=0.1)
    theirs = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    step(listener, ours)
    step(listener, theirs)
    assert (listener.measured.step, listener.measured.foreign_steps) == (1, 1)


def test_a_step_within_a_step_is_one_and_keeps_off_the_short_way(net: nn.Module, listener: StepListener) -> None:
    inner = torch.optim.SGD(net.parameters(), lr=0.1)
    outer = torch.optim.SGD(net.parameters(), lr=0.1)
    outer.param_groups = inner.param_groups
    for _ in range(120):
        step(listener, outer, inner)
    assert listener.measured.step == 120
    assert not listener.lane.entered


def test_a_closure_takes_the_place_of_the_moment_to_measure(net: nn.Module, listener: StepListener) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    calls: list[str] = []
    args, kwargs = listener.before_step(optimizer, (optimizer,), {"closure": lambda: calls.append("theirs")})
    assert args == (optimizer,)
    kwargs["closure"]()
    assert calls == ["theirs"]
    assert listener.before_step(optimizer, (optimizer,), {}) is None


def test_what_each_step_is_for(net: nn.Module, listener: StepListener) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    measured: list[int] = []
    for number in range(1, 61):
        if listener.measuring:
            measured.append(number)
        step(listener, optimizer)
    assert measured == [1, 2, 3, 5, 10, 20, 30, 40, 50]  # then the net's size says how seldom


def test_it_is_told_after_each_step_that_is_no_ordinary_one(net: nn.Module, listener: StepListener) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    told: list[tuple[int, bool]] = []
    listener.stepped = lambda: told.append((listener.measured.step, listener.was_measured))
    for _ in range(10):
        step(listener, optimizer)
    assert [number for number, measured in told if measured] == [1, 2, 3, 5, 10]
    assert len(told) == 10
