"""Whole trainings in stacks against danlu.fit, and what happens to members that end before the others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.events import Stop
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, ScheduleRecipe, TrainRecipe
from danlu.base.seeds import global_seed
from danlu.data.memory import MemoryDataset
from danlu.run.run import Run
from danlu.run.settings.draft import draft_recipe
from danlu.run.setup import set_up
from danlu.stack import FoldRows, StackMember, Trained, train_members
from danlu.stack.plan import StackPlan, cut

CPU = torch.device("cpu")


def fold_of(data: MemoryDataset, dtype: torch.dtype) -> FoldRows:
    x = data.x.to(dtype) if data.x.is_floating_point() else data.x
    y = data.y.to(dtype) if data.y.is_floating_point() else data.y
    train, validation = data.sizes["train"], data.sizes["validation"]
    transform = data.pixels.on(CPU, dtype) if data.pixels else None
    return FoldRows(x, y, torch.arange(train), torch.arange(train, train + validation), transform)


def both(
    net: str,
    data: MemoryDataset,
    each: Sequence[dict[str, Any]],
    folder: Path,
    recipe: Recipe | None = None,
    **settings: Any,
) -> tuple[list[Run], Trained]:
    """The same recipes by `fit`, one after another, and by `train_members`."""
    runs = [
        danlu.fit(net, data, recipe=recipe, folder=folder / str(number), progress=False, **settings, **own)
        for number, own in enumerate(each)
    ]
    setups = [set_up(draft_recipe(net, data, recipe, settings={**settings, **own}), data) for own in each]
    dtype = setups[0].dtype
    scale = data.target_scale if data.task == "regression" else None
    trained = train_members(
        [setup.net for setup in setups],
        [StackMember(setup.recipe) for setup in setups],
        [fold_of(data, dtype)],
        task=data.task,
        outputs=data.outputs,
        device=CPU,
        scale=scale,
    )
    assert isinstance(trained, Trained)
    return runs, trained


def assert_equal(runs: Sequence[Run], trained: Trained, rtol: float) -> None:
    for member, run in enumerate(runs):
        for name, tensor in run.net().state_dict().items():
            torch.testing.assert_close(trained.states[member][name], tensor, rtol=rtol, atol=rtol)
        loss = float(trained.train_loss[int(trained.chosen[member]) - 1, member])
        assert run.score["train"]["loss"] == pytest.approx(loss, rel=1e-4)
        found = {name: float(values[member]) for name, values in trained.score.items()}
        assert found == pytest.approx(run.score["validation"], rel=1e-4)
        assert int(trained.epochs[member]) == run.epochs


@pytest.fixture(scope="module")
def digits() -> MemoryDataset:
    data = danlu.load("digits")
    assert isinstance(data, MemoryDataset)
    return data


def test_digits_with_dropout_clipping_and_early_stopping(digits: MemoryDataset, tmp_path: Path) -> None:
    each = [
        {"seed": seed, "lr": lr, "dropout": rate} for seed, lr, rate in ((0, 0.05, 0.1), (1, 0.3, 0.4), (0, 0.6, 0.1))
    ]
    runs, trained = both(
        "mlp", digits, each, tmp_path, epochs=6, batch_size=64, clip_norm=1.0, patience=1, precision="float64"
    )
    assert_equal(runs, trained, 1e-10)
    assert len(set(trained.epochs.tolist())) > 1, "nobody stopped early"


def test_the_digits_by_lenet5(digits: MemoryDataset, tmp_path: Path) -> None:
    each = [{"seed": 0, "lr": 0.01}, {"seed": 1, "lr": 0.02}]
    runs, trained = both("lenet5", digits, each, tmp_path, epochs=1, batch_size=128, momentum=0.9)
    assert_equal(runs, trained, 1e-5)


def test_regression(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(90, 4, generator=generator)
    y = x @ torch.randn(4, 2, generator=generator) * torch.tensor([1.0, 20.0]) + 7
    data = danlu.load((x, y))
    assert isinstance(data, MemoryDataset)
    each = [{"lr": 0.0005}, {"lr": 0.001, "weight_decay": 0.1}]
    plateau = Recipe(schedule=ScheduleRecipe(name="plateau", patience=0))
    runs, trained = both("mlp", data, each, tmp_path, epochs=4, momentum=0.9, precision="float64", recipe=plateau)
    assert_equal(runs, trained, 1e-10)
    assert {"loss", "r2", "mae", "rmse"} == trained.score.keys()


def problem(count: int = 44) -> FoldRows:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count + 12, 5, generator=generator)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0)
    return FoldRows(x, y, torch.arange(count), torch.arange(count, count + 12))


def perceptrons(count: int, make: Any = None) -> list[nn.Module]:
    def usual() -> nn.Module:
        return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))

    nets: list[nn.Module] = []
    for seed in range(count):
        with global_seed(seed, "weights"):
            nets.append((make or usual)())
    return nets


def members(count: int, **train: Any) -> list[StackMember]:
    recipes = [
        Recipe(
            optim=OptimRecipe(name="sgd", lr=0.02 * (k + 1), momentum=0.9),
            loss=LossRecipe(name="cross-entropy"),
            train=replace(TrainRecipe(epochs=3, batch_size=8, seed=k // 2), **train),
        )
        for k in range(count)
    ]
    return [StackMember(recipe) for recipe in recipes]


def run(
    nets: Sequence[nn.Module], members: Sequence[StackMember], folds: Sequence[FoldRows], **settings: Any
) -> Trained:
    trained = train_members(nets, members, folds, task="classification", outputs=3, device=CPU, **settings)
    assert isinstance(trained, Trained)
    return trained


def same_bits(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3))


@pytest.mark.parametrize("make", [None, normed], ids=["chain", "folded"])
def test_a_member_that_diverges_changes_no_bit_of_the_others_and_is_dropped(make: Any) -> None:
    healthy = members(6)
    broken = list(healthy)
    broken[3] = replace(broken[3], recipe=replace(broken[3].recipe, optim=replace(broken[3].recipe.optim, lr=1e30)))
    first = run(perceptrons(6, make), healthy, [problem()], workers=1)
    second = run(perceptrons(6, make), broken, [problem()], workers=1)
    for member in (0, 1, 2, 4, 5):
        assert same_bits(first.states[member], second.states[member])
    assert first.diverged.tolist() == [0] * 6
    step = int(second.diverged[3])
    assert 1 < step <= 6
    assert second.diverged.tolist() == [0, 0, 0, step, 0, 0]
    assert int(second.epochs[3]) == 1
    assert second.train_loss[1:, 3].isnan().all()
    assert second.train_loss[:, [0, 1, 2, 4, 5]].equal(first.train_loss[:, [0, 1, 2, 4, 5]])


def test_a_stack_that_most_members_have_left_is_compacted() -> None:
    chosen = members(8, epochs=5)
    broken = [
        replace(member, recipe=replace(member.recipe, optim=replace(member.recipe.optim, lr=1e30))) if k % 2 else member
        for k, member in enumerate(chosen)
    ]
    first, second = (run(perceptrons(8), given, [problem()], workers=1) for given in (chosen, broken))
    assert second.epochs.tolist() == [5, 1] * 4
    for member in range(0, 8, 2):
        for name, tensor in first.states[member].items():
            torch.testing.assert_close(second.states[member][name], tensor, rtol=1e-4, atol=1e-5)


def test_stacks_of_any_size_and_any_number_of_workers_train_the_same() -> None:
    folds = [problem(), problem(43)]
    all_members = [replace(member, fold=k % 2) for k, member in enumerate(members(7))]
    whole = run(perceptrons(7), all_members, folds, workers=1)
    for most, workers in ((1, 1), (2, 2), (3, 1)):
        parts = run(perceptrons(7), all_members, folds, most_members=most, workers=workers)
        for one, other in zip(whole.states, parts.states, strict=True):
            for name, tensor in one.items():
                torch.testing.assert_close(other[name], tensor, rtol=1e-4, atol=1e-5)


def test_every_stack_is_told_of_as_it_ends() -> None:
    heard: list[int] = []

    def finished(places: Sequence[int], trained: Trained) -> None:
        assert len(trained.states) == len(places)
        heard.extend(places)

    run(perceptrons(7), members(7), [problem()], most_members=2, finished=finished)
    assert sorted(heard) == list(range(7))


def test_stacks_hold_folds_of_one_size_and_keep_members_of_a_batch_together() -> None:
    folds = [problem(), problem(43), problem()]
    seeds = [0, 1, 0, 1, 0, 1, 0, 1, 0]
    all_members = [
        StackMember(replace(member.recipe, train=replace(member.recipe.train, seed=seed)), fold=k % 3)
        for k, (member, seed) in enumerate(zip(members(9), seeds, strict=True))
    ]
    stacks = cut(all_members, folds, most=9, workers=1)
    assert [sorted(stack) for stack in stacks] == [[0, 2, 3, 5, 6, 8], [1, 4, 7]]
    keys = [(all_members[place].fold, all_members[place].seed) for place in stacks[0]]
    assert keys == sorted(keys)
    assert max(len(stack) for stack in cut(all_members, folds, most=2, workers=1)) == 2
    assert len(cut(all_members, folds, most=9, workers=2)) == 4
    assert [len(stack) for stack in cut(all_members, folds, most=9, workers=1, fills=True)] == [9]


@pytest.mark.every(2)
@pytest.mark.parametrize("make", [None, normed], ids=["chain", "folded"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_folds_of_different_sizes_train_as_each_would_alone(make: Any, reduction: Any) -> None:
    folds = [problem(), problem(43), problem(42)]
    chosen = [
        replace(
            member,
            fold=k % 3,
            recipe=replace(
                member.recipe,
                loss=replace(member.recipe.loss, reduction=reduction),
                optim=replace(member.recipe.optim, lr=0.002 * (k + 1)),
            ),
        )
        for k, member in enumerate(members(6))
    ]
    folds = [
        replace(fold, validation=fold.validation[: 12 - k])
        for k, fold in enumerate(folds)
        if fold.validation is not None
    ]
    together = run(perceptrons(6, make), chosen, folds, workers=1)
    for k, member in enumerate(chosen):
        alone = run([perceptrons(6, make)[k]], [member], folds, workers=1)
        for name, tensor in alone.states[0].items():
            torch.testing.assert_close(together.states[k][name], tensor, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.train_loss[:, k], alone.train_loss[:, 0], rtol=1e-4, atol=1e-5)
        for name, values in alone.score.items():
            torch.testing.assert_close(together.score[name][k], values[0], rtol=1e-4, atol=1e-5)


def test_a_shared_order_is_that_of_the_given_seed() -> None:
    alone = members(2, seed=5)
    shared = [replace(member, order_seed=5) for member in members(2)]
    first, second = (run(perceptrons(2), chosen, [problem()]) for chosen in (alone, shared))
    assert all(same_bits(one, other) for one, other in zip(first.states, second.states, strict=True))


def test_it_breaks_off_when_asked_to() -> None:
    asked = iter([False] * 4 + [True] * 100)
    outcome = train_members(
        perceptrons(2),
        members(2),
        [problem()],
        task="classification",
        outputs=3,
        device=CPU,
        workers=1,
        asked_to_stop=lambda: next(asked),
    )
    assert outcome == Stop("interrupted")


@pytest.mark.every(4)
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000 bytes."),
        RuntimeError("MPS backend out of memory"),
        MemoryError(),
    ],
)
def test_a_stack_too_large_for_memory_is_halved(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def carry_out(plan: Any, places: Sequence[int]) -> Any:
        sizes.append(len(places))
        if len(places) > 2:
            raise error
        return original(plan, places)

    original = StackPlan.carry_out
    monkeypatch.setattr(StackPlan, "carry_out", carry_out)
    trained = run(perceptrons(6), members(6), [problem()], workers=1)
    assert sizes == [6, 3, 3, 1, 2, 1, 2]
    assert all(trained.states)


@pytest.mark.parametrize("workers", [1, 2])
def test_any_other_error_is_no_matter_of_memory(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def carry_out(plan: Any, places: Sequence[int]) -> Any:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(StackPlan, "carry_out", carry_out)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run(perceptrons(4), members(4), [problem()], workers=workers)


def test_the_nets_given_are_left_as_they_are() -> None:
    nets = perceptrons(2)
    before = [{name: tensor.clone() for name, tensor in net.state_dict().items()} for net in nets]
    run(nets, members(2), [problem()])
    assert all(same_bits(net.state_dict(), state) for net, state in zip(nets, before, strict=True))


def test_best_weights_are_those_of_the_best_epoch() -> None:
    last = run(perceptrons(3), members(3, epochs=6), [problem()], validate="epochs")
    best = run(perceptrons(3), members(3, epochs=6, weights="best"), [problem()])
    for member in range(3):
        scores = list(zip(last.validation["accuracy"][:, member], -last.validation["loss"][:, member], strict=True))
        epoch = scores.index(max(scores))
        shorter = run(perceptrons(3), members(3, epochs=epoch + 1), [problem()])
        assert same_bits(best.states[member], shorter.states[member])
        assert float(best.score["accuracy"][member]) == float(max(scores)[0])


@pytest.mark.parametrize(
    ("groups", "each", "workers", "most", "expected"),
    [
        (15, 8, 2, 94, [64, 56]),  # not 60 and 60, which would take one group apart
        (12, 4, 3, 40, [16, 16, 16]),
        (3, 8, 2, 94, [12, 12]),  # whole groups would leave a worker idle for half of the time
        (15, 8, 2, 60, [60, 60]),  # more than 60 do not fit
        (7, 1, 2, 94, [4, 3]),
        (20, 1, 2, 7, [5, 5, 5, 5]),  # not three, of which one worker would take two
    ],
)
def test_stacks_begin_between_two_groups_where_they_stay_even(
    groups: int, each: int, workers: int, most: int, expected: list[int]
) -> None:
    chosen = [StackMember(members(1)[0].recipe, order_seed=group) for group in range(groups) for _ in range(each)]
    stacks = cut(chosen, [problem()], most, workers)
    assert sorted(map(len, stacks), reverse=True) == expected
    assert sorted(place for stack in stacks for place in stack) == list(range(groups * each))
