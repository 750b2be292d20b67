"""A stack on its way: what its listeners hear, and that one put back to where another stood goes on bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from danlu.base.events import EpochDone, StackEvent, StepDone, Stop, TrainingStarted
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, ScheduleRecipe, TrainRecipe
from danlu.base.seeds import global_seed
from danlu.stack import FoldRows, StackMember
from danlu.stack.build import find_way
from danlu.stack.plan import StackPlan, cut, sample_of
from danlu.stack.running import RunningStack
from danlu.stack.scores import StackScorer
from danlu.train.tree import flatten, restore

CPU = torch.device("cpu")
EPOCHS, STEPS = 6, 6  # steps an epoch


def folds() -> list[FoldRows]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(60, 5, generator=generator)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0)
    return [
        FoldRows(x, y, torch.arange(44), torch.arange(44, 60)),
        FoldRows(x, y, torch.arange(43), torch.arange(43, 60)),
    ]


def chain() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Dropout(0.2), nn.Linear(7, 3))


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 3))


def convolved() -> nn.Module:
    net = nn.Sequential(nn.Unflatten(1, (5, 1, 1)), nn.Conv2d(5, 7, 1), nn.ReLU(), nn.Flatten(), nn.Linear(7, 3))
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def recipes(optim: dict[str, Any], **train: Any) -> list[Recipe]:
    """Of eight members; three of them diverge at once, so that the stack is compacted after its first epoch."""
    rates = [0.002 * (k + 1) if k % 3 else 1e30 for k in range(8)]
    return [
        Recipe(
            optim=OptimRecipe(**{"name": "sgd", "momentum": 0.9, **optim}, lr=rate),
            loss=LossRecipe(name="cross-entropy"),
            train=replace(TrainRecipe(epochs=EPOCHS, batch_size=8, seed=k // 4), **train),
        )
        for k, rate in enumerate(rates)
    ]


KINDS: dict[str, tuple[Callable[[], nn.Module], list[Recipe]]] = {
    "momentum": (chain, recipes({})),
    "plain": (chain, recipes({"momentum": 0.0})),
    "decay, best weights, patience": (chain, recipes({"weight_decay": 0.01}, weights="best", patience=2)),
    "adam, clipped, averaged": (normed, recipes({"name": "adam", "momentum": None}, clip_norm=1.0, ema=0.8)),
    "accumulated, averaged, best weights": (normed, recipes({}, batch_size=4, accumulate=2, ema=0.8, weights="best")),
    "convolutions": (convolved, recipes({})),
    "cosine": (chain, [replace(one, schedule=ScheduleRecipe(name="cosine", warmup=3)) for one in recipes({})]),
    "plateau": (chain, [replace(one, schedule=ScheduleRecipe(name="plateau", patience=0)) for one in recipes({})]),
}


def begun(make: Callable[[], nn.Module], own: list[Recipe]) -> RunningStack:
    nets: list[nn.Module] = []
    for seed in range(len(own)):
        with global_seed(seed, "weights"):
            nets.append(make())
    alike = own[0].train.accumulate > 1
    members = [StackMember(recipe, fold=0 if alike else k % 2) for k, recipe in enumerate(own)]
    way = find_way(nets[0], sample_of(folds()[0]))
    assert way is not None
    plan = StackPlan(nets, members, folds(), StackScorer("classification", 3, "cross-entropy"), way, CPU, "auto")
    (places,) = cut(members, plan.folds, 99, 1, fills=True) if make is chain else [list(range(len(own)))[:: 1 + alike]]
    if make is not chain and not alike:
        places = [place for place in places if members[place].fold == 0]
    return plan.begun(places)


def stopping(at: int) -> Callable[[StackEvent], Stop | None]:
    return lambda event: Stop("interrupted") if isinstance(event, StepDone) and event.step == at else None


def same(one: Any, other: Any) -> bool:
    """Whether two trees hold the same bits."""
    (first, tensors), (second, others) = flatten(one), flatten(other)
    return first == second and all(torch.equal(_bits(tensors[name]), _bits(others[name])) for name in tensors)


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.flatten().clone().view(torch.uint8) if tensor.numel() and tensor.dim() else tensor


@pytest.mark.every(4)
@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_put_back_to_where_another_stood_ends_with_the_same_bits(kind: str) -> None:
    make, own = KINDS[kind]
    whole = begun(make, own)
    assert whole.train(None) is None
    for moments in ((1,), (4, 15), (STEPS,), (STEPS + 1, 2 * STEPS, 20), (EPOCHS * STEPS,)):
        saved: tuple[Any, Any] | None = None
        for moment in (*moments, None):
            stack = begun(make, own)
            if saved is not None:
                stack.load(*saved)
                assert stack.progress.step in moments, "it did not begin where the other stood"
            if moment is not None:
                stack.listeners = [stopping(moment)]
                if stack.train(None) != Stop("interrupted"):
                    break  # all members ended before that
                trees = {name: flatten(tree) for name, tree in stack.tensors().items()}
                saved = {name: restore(tree, tensors) for name, (tree, tensors) in trees.items()}, stack.state()
            else:
                assert stack.train(None) is None
        assert same(stack.weights.ended, whole.weights.ended)
        assert same(stack.progress.tensors(), whole.progress.tensors())
        found, expected = stack.trained(), whole.trained()
        assert same(found.score, expected.score)
        assert found.chosen.equal(expected.chosen)


def test_some_members_of_these_stacks_end_early_and_the_others_go_on_without_them() -> None:
    stack = begun(*KINDS["momentum"])
    stack.listeners = [stopping(STEPS + 1)]
    stack.train(None)
    assert stack.step.members == 5
    assert len(stack.progress.done) == 8


def test_events_have_an_axis_of_members() -> None:
    stack = begun(*KINDS["decay, best weights, patience"])
    heard: list[StackEvent] = []
    stack.listeners = [heard.append]
    stack.train(None)
    assert isinstance(heard[0], TrainingStarted)
    assert (heard[0].epochs, heard[0].steps_per_epoch) == (EPOCHS, STEPS)
    steps = [event for event in heard if isinstance(event, StepDone)]
    epochs = [event for event in heard if isinstance(event, EpochDone)]
    assert [event.step for event in steps] == list(range(1, len(steps) + 1))
    assert steps[0].loss.shape == steps[0].lr.shape == (8,)
    assert steps[0].samples == 8
    assert steps[STEPS].loss.shape == (5,), "the stack was not compacted"
    trained = stack.trained()
    assert [len(event.best) for event in epochs[:2]] == [8, 5]
    first, second = epochs[:2]
    torch.testing.assert_close(first.train["loss"], trained.train_loss[0], equal_nan=True, rtol=0, atol=0)
    assert first.validation is not None
    assert first.validation.keys() == {"loss", "accuracy", "f1"}
    here = [k for k in range(8) if own_rate(stack, k) < 1]
    torch.testing.assert_close(second.train["loss"], trained.train_loss[1, here], rtol=0, atol=0)
    assert [answer for answer, k in zip(first.best, range(8), strict=True) if k in here] == [True] * 5


def own_rate(stack: RunningStack, member: int) -> float:
    return float(KINDS["decay, best weights, patience"][1][stack.places[member]].optim.lr or 0.0)
