"""The step of a stack: its state in a checkpoint, members that are not numbers, and compaction."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.base.recipe import OptimRecipe, Recipe, ScheduleRecipe
from danlu.nets import MLP, SequenceClassifier
from danlu.stack import FoldRows, StackMember, faster_stacked
from danlu.stack.average import MovingAverage
from danlu.stack.rates import Schedules
from danlu.train.tree import flatten, restore
from stack_twins import CPU, HORIZON, batches, make_stack, recipe, run_stack, train_alone, twins

KINDS: dict[str, Callable[[int], nn.Module]] = {
    "chain": lambda k: MLP(6, 4, (16, 8), dropout=0.2),
    "folded": lambda k: MLP(6, 4, (16, 8), norm="batch", dropout=0.2),
    "mapped": lambda k: SequenceClassifier(9, 4, embedding=4, hidden=5, engine="own", dropout=0.2),
}
GROUPS = (0, 0, 1, 1)


def four(**settings: object) -> list[Recipe]:
    return [recipe(OptimRecipe(lr=0.01 * (k + 1), momentum=0.9), seed=k % 2, **settings) for k in range(4)]  # type: ignore[arg-type]


@pytest.mark.every(2)
@pytest.mark.parametrize("clipped", [None, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_from_a_checkpoint_bit_for_bit(kind: str, clipped: float | None) -> None:
    tokens = 9 if kind == "mapped" else 0
    recipes = four(clip_norm=clipped, ema=0.9, schedule=ScheduleRecipe(name="cosine"))
    nets = twins(KINDS[kind], 4, torch.float32)
    given = batches((6,), 4, 2, torch.float32, tokens)
    whole = make_stack(nets, recipes, given, GROUPS)
    run_stack(whole, given)
    first = make_stack(nets, recipes, given, GROUPS)
    run_stack(first, given[:20])
    saved = {name: flatten(tree) for name, tree in first.tensors().items()}
    numbers = first.state()
    second = make_stack(nets, recipes, given, GROUPS)
    second.load_tensors({name: restore(tree, tensors) for name, (tree, tensors) in saved.items()})
    second.load_state(numbers)
    run_stack(second, given, start=20)
    for member in range(4):
        for name, tensor in whole.member(member).items():
            assert torch.equal(second.member(member)[name], tensor)


@pytest.mark.every(2)
@pytest.mark.parametrize("optim", [OptimRecipe(lr=0.01, momentum=0.9), OptimRecipe(name="adam", lr=0.001)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_member_that_is_not_a_number_changes_no_bit_of_the_others(kind: str, optim: OptimRecipe) -> None:
    tokens = 9 if kind == "mapped" else 0
    recipes = [recipe(optim, seed=k % 2, clip_norm=1.0) for k in range(4)]
    nets = twins(KINDS[kind], 4, torch.float32)
    given = batches((6,), 4, 2, torch.float32, tokens)
    healthy = make_stack(nets, recipes, given, GROUPS)
    losses = run_stack(healthy, given)
    broken_nets = [copy.deepcopy(net) for net in nets]
    for parameter in broken_nets[1].parameters():
        parameter.data.fill_(torch.nan)
    broken = make_stack(broken_nets, recipes, given, GROUPS)
    found = run_stack(broken, given)
    assert found[:, 1].isnan().all()
    assert torch.equal(found[:, [0, 2, 3]], losses[:, [0, 2, 3]])
    for member in (0, 2, 3):
        for name, tensor in healthy.member(member).items():
            assert torch.equal(broken.member(member)[name], tensor)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_after_compaction_goes_on(kind: str) -> None:
    tokens = 9 if kind == "mapped" else 0
    recipes = four(clip_norm=1.0, ema=0.9)
    nets = twins(KINDS[kind], 4, torch.float64)
    given = batches((6,), 4, 2, torch.float64, tokens)
    step = make_stack(nets, recipes, given, GROUPS)
    run_stack(step, given[:25])
    assert step.compact([1, 3]) == [0, 1]
    run_stack(step, given, start=25)
    with step.scored():
        for place, member in enumerate((1, 3)):
            weights, _ = train_alone(nets[member], recipes[member], given, GROUPS[member])
            for name, tensor in step.member(place).items():
                torch.testing.assert_close(tensor, weights[name], rtol=1e-9, atol=1e-10)
    assert step.compact([1]) == [1]
    assert step.members == 1


def test_plateau_minds_every_member_s_own_losses() -> None:
    plateau = ScheduleRecipe(name="plateau", patience=0, gamma=0.5)
    schedules = Schedules(four(schedule=plateau), HORIZON, CPU, torch.float64)
    schedules.see([1.0, 1.0, 1.0, 1.0])
    schedules.see([2.0, 0.5, 2.0, float("nan")])
    schedules.begin(1)
    assert isinstance(schedules.rates, torch.Tensor)
    assert schedules.rates.tolist() == pytest.approx([0.005, 0.02, 0.015, 0.02])
    again = Schedules(four(schedule=plateau), HORIZON, CPU, torch.float64)
    again.load_state(schedules.state())
    again.begin(1)
    assert isinstance(again.rates, torch.Tensor)
    assert torch.equal(again.rates, schedules.rates)


def test_averages_and_weights_are_exchanged_and_back() -> None:
    state = {"weight": torch.tensor([[1.0], [2.0]])}
    average = MovingAverage(state, [recipe(ema=0.5), recipe(ema=0.9)], CPU)
    average.follow(state)
    state["weight"] += 1
    average.follow(state)
    average.exchange(state)
    assert state["weight"].flatten().tolist() == pytest.approx([1.5, 2.1])
    average.exchange(state)
    assert state["weight"].flatten().tolist() == [2.0, 3.0]


def test_a_timing_changes_nothing_and_says_how_many() -> None:
    nets = [nn.Linear(5, 3) for _ in range(6)]
    before = [net.weight.clone() for net in nets]
    fold = FoldRows(torch.randn(64, 5), torch.randint(3, (64,)), torch.arange(64))
    members = [StackMember(recipe(seed=k)) for k in range(6)]
    timing = faster_stacked(nets, members, [fold], device=CPU, workers=1)
    assert timing.stacked > 0
    assert timing.alone > 0
    assert timing.most_members in (1, 2, 4, 6)
    assert timing.faster == (timing.stacked < timing.alone)
    assert all(torch.equal(net.weight, weight) for net, weight in zip(nets, before, strict=True))
