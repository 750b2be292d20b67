"""The short way of ordinary steps: what it takes, when it is left, and that nothing is lost on it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import optimizer as torch_optimizer

import danlu
from danlu.watch.lane import Lane
from danlu.watch.series import Curve
from loops import batches, net


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane(lambda *_: None)
    lane.open(5, asked_before=True)
    yield lane
    lane.close_before()


def loss(value: float = 1.0) -> torch.Tensor:
    return torch.full((3,), value, requires_grad=True).sum()


@pytest.mark.parametrize(
    "tensors",
    [
        [loss(float("nan"))],
        [loss(float("inf"))],
        [torch.ones(2, requires_grad=True)],
        [loss(), loss()],
        ["no tensor"],
        [torch.ones((), device="meta", requires_grad=True)],
    ],
)
def test_what_must_be_looked_at_is_not_taken(lane: Lane, tensors: list[Any]) -> None:
    assert not lane.take(tensors)
    assert not lane.passes()  # a step without a loss that was taken is no ordinary one
    assert (lane.left, lane.steps, lane.emptied()) == (5, 0, [])


def test_a_step_that_has_begun_is_no_step_yet(lane: Lane) -> None:
    assert [lane.take([loss(1.0)]), lane.passes(), lane.take([loss(2.0)])] == [True, True, True]
    assert lane.emptied() == [3.0]
    assert lane.passes()
    assert lane.emptied() == [6.0]
    lane.take([loss(3.0)])
    assert lane.close() == [9.0]
    assert not lane.left


def test_a_step_of_somebody_else_is_taken_whole(lane: Lane) -> None:
    assert [lane.add(loss) for loss in (0.5, 0.25, 0.125)] == [True, True, True]
    assert (lane.steps, lane.left, lane.emptied()) == (3, 2, [0.5, 0.25, 0.125])
    assert [lane.add(loss) for loss in (4.0, 2.0)] == [True, False]
    assert lane.close() == []


def test_two_backward_passes_are_no_ordinary_step(lane: Lane) -> None:
    for value in (1.0, 2.0):
        lane.take([loss(value)])
    assert not lane.passes()
    assert lane.close() == [3.0, 6.0]


@pytest.mark.parametrize("block", [1, 3, 64, 700])
def test_a_curve_takes_many_as_it_takes_one_by_one(block: int) -> None:
    numbers = torch.randn(1500, generator=torch.Generator().manual_seed(0)).tolist()
    one_by_one, at_once = Curve(), Curve()
    for number in numbers:
        one_by_one.add(number)
    for begin in range(0, len(numbers), block):
        at_once.extend(numbers[begin : begin + block])
    assert vars(one_by_one) == vars(at_once)
    assert (one_by_one.means, one_by_one.spreads) == (at_once.means, at_once.spreads)


class Switching(torch.optim.SGD):
    """An optimiser that switches gradients off by itself, as those of many a project do."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.sub_(group["lr"] * parameter.grad)


def trained(kind: type[torch.optim.Optimizer], steps: int, between: Callable[[int, nn.Module], None]) -> danlu.Watch:
    model = net()
    optimizer = kind(model.parameters(), lr=0.05)  # pyright: ignore[reportCallIssue]
    with danlu.watch(model, optimizer, shown=False) as watch:
        for step, (x, y) in enumerate(batches(steps), 1):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            between(step, model)
    return watch


@pytest.mark.parametrize("kind", [torch.optim.SGD, Switching])
def test_on_ordinary_steps_an_optimiser_has_one_hook(kind: type[torch.optim.Optimizer]) -> None:
    hooks: dict[int, tuple[int, int]] = {}

    def count(step: int, model: nn.Module) -> None:
        before, after = torch_optimizer._global_optimizer_pre_hooks, torch_optimizer._global_optimizer_post_hooks
        hooks[step] = len(before), len(after)

    watch = trained(kind, 420, count)
    asked = int(kind is Switching)  # where gradients are switched off, it must be known that it is in a step
    assert hooks[310] == hooks[350] == (asked, 1)
    assert hooks[299] == (1, 1)  # before a step that is measured
    assert watch.measured.step == watch.measured.loss.count == watch.measured.optimisers[0].steps == 420
    assert {300, 400} <= set(watch.measured.optimisers[0].gradient.steps)
    assert not watch.measured.evaluations


def test_the_losses_of_ordinary_steps_are_all_there_whenever_somebody_asks() -> None:
    seen: dict[int, tuple[int, int, float]] = {}
    told: list[float] = []
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for step, (x, y) in enumerate(batches(380), 1):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            if step % 7 == 0:
                nn.utils.clip_grad_norm_(model.parameters(), 100.0)
            optimizer.step()
            told.append(loss.item())
            if step % 11 == 0:
                seen[step] = watch.measured.step, watch.measured.loss.count, watch.measured.loss.last
    assert seen == {step: (step, step, told[step - 1]) for step in range(11, 381, 11)}
    plain = Curve()
    for one in told:
        plain.add(one)
    assert watch.measured.loss.means == plain.means
    assert watch.measured.backwards == 380


@pytest.mark.parametrize("held", ["block", "statement"])
def test_an_evaluation_is_heard_though_no_mode_is_switched_in_a_block(held: str) -> None:
    def evaluate(step: int, model: nn.Module) -> None:
        if step not in (330, 350):
            return
        if held == "block":
            with torch.set_grad_enabled(False):
                for x, y in batches(4):
                    F.cross_entropy(model(x), y)
            return
        torch.set_grad_enabled(False)
        try:
            for x, y in batches(4):
                F.cross_entropy(model(x), y)
        finally:
            torch.set_grad_enabled(True)

    watch = trained(torch.optim.SGD, 400, evaluate)
    missed = int(held == "statement")  # its first batch is what gives it away
    assert [(one.step, one.batches, one.training) for one in watch.measured.evaluations] == [
        (331, 4 - missed, True), (351, 4 - missed, True),
    ]  # fmt: skip


def test_a_loss_without_gradient_that_is_no_evaluation_ends_to_be_believed() -> None:
    def log(step: int, model: nn.Module) -> None:
        F.mse_loss(torch.zeros(3), torch.ones(3))

    watch = trained(torch.optim.SGD, 400, log)
    assert watch.measured.step == watch.measured.loss.count == 400
    assert not watch.measured.evaluations


def test_the_first_loss_that_is_not_finite_is_found_at_its_step() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for step, (x, y) in enumerate(batches(360), 1):
            optimizer.zero_grad()
            F.cross_entropy(model(x * (float("nan") if step == 342 else 1.0)), y).backward()
            optimizer.step()
    assert (watch.measured.nonfinite_at, watch.measured.loss.nonfinite_since) == (342, 342)
    assert watch.measured.step == 360
