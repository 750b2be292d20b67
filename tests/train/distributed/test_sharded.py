"""Held in parts by several processes, a training is that of one, also of what only some samples reach."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo  # FSDP wants it: once here, rather than in each process
import torch.distributed.fsdp
from torch import Tensor, nn

from danlu.base.errors import UserError
from danlu.base.events import Event, StepDone
from danlu.base.places import launched
from danlu.base.recipe import Recipe
from danlu.train.distributed.group import TrainingGroup, joined
from danlu.train.distributed.sharded import ShardedEngine
from danlu.train.distributed.units import possible_units
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ModuleEngine
from danlu.train.optimisers import build_optimiser
from danlu.train.progress import progress_of, unscored
from danlu.train.schedules import Horizon, Schedule
from several_processes import in_processes

CPU = torch.device("cpu")
EPOCHS, BATCHES = 2, (12, 12, 1, 7)  # one of a single sample, of which a process has none
STREAM = torch.Generator().manual_seed(1)
X, Y = torch.randn(sum(BATCHES), 6, generator=STREAM).double(), torch.randint(0, 3, (sum(BATCHES),), generator=STREAM)


class Some(nn.Module):
    """A part is never reached, another only by some samples; a factor is 0-d."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.some, self.never = nn.Linear(6, 5), nn.Linear(5, 5), nn.Linear(2, 2)
        self.factor, self.last = nn.Parameter(torch.tensor(0.5)), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x).relu()
        wanted = x[:, :1] > 1.5
        if bool(wanted.any()):
            hidden = hidden + self.some(hidden) * wanted
        return self.last(hidden) * self.factor


class Tied(nn.Module):
    """Two layers share their weights, one of which stands in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)])
        self.again, self.last = nn.Linear(6, 6), nn.Linear(6, 3)
        self.again.weight = self.layers[1].weight

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).tanh()
        return self.last(self.again(x).tanh())


def _pictures() -> nn.Module:
    layers = nn.Sequential(
        nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 5, 2), nn.BatchNorm2d(5), nn.Dropout2d(0.0), nn.ReLU(),
        nn.Conv2d(5, 4, 1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    return layers.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


NETS: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)),
    "pictures": _pictures,
    "some": Some,
    "tied": Tied,
}
ADAM: dict[str, Any] = {"optim": {"name": "adamw", "lr": 0.01, "weight_decay": 0.1}}
SGD: dict[str, Any] = {"optim": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}}
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("plain", ADAM, {"ema": 0.9, "clip_norm": 0.3}),
    ("plain", ADAM, {"accumulate": 4, "batch_size": 3, "clip_value": 0.01}),
    ("pictures", ADAM, {"clip_norm": 0.3, "ema": 0.9}),
    ("pictures", SGD, {"freeze": ("5",)}),
    ("some", ADAM, {"clip_norm": 0.3, "ema": 0.9}),
    ("tied", SGD, {"ema": 0.8}),
    ("tied", {"optim": {"name": "nadam"}, "loss": {"name": "cross-entropy", "class_weights": (1.0, 5.0, 0.5)}}, {}),
]


def made(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return NETS[name]().double()


def trained(case: tuple[str, dict[str, Any], dict[str, Any]], group: TrainingGroup | None) -> dict[str, Any]:
    """The end of a training on the batches above; in one process where there is no group."""
    name, settings, train_settings = case
    whole = {"batch_size": 12, "precision": "float64", "epochs": EPOCHS, **train_settings}
    recipe = Recipe(**{"loss": {"name": "cross-entropy"}, **settings, "train": whole})
    net = made(name)
    arguments = (
        net, build_loss(recipe.loss.name, recipe.loss),
        build_optimiser(recipe.optim, net, frozen=whole.get("freeze", ())),
        Schedule(recipe.schedule, Horizon(EPOCHS, len(BATCHES))), recipe, CPU,
    )  # fmt: skip
    sharded = None if group is None else ShardedEngine(*arguments, group=group, units=tuple(possible_units(net)))
    engine = sharded or ModuleEngine(*arguments)
    heard: list[float] = []

    def batches(epoch: int, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        cut = (2, 5) if name == "pictures" else BATCHES  # a batch of one has no statistics
        yield from zip(X[: sum(cut)].split(cut), Y[: sum(cut)].split(cut), strict=True)

    def hear(event: Event) -> None:
        if isinstance(event, StepDone):
            heard.extend([float(event.loss), float(event.norm or 0.0)])
            if event.step == 5:
                engine.tensors()  # which changes nothing

    with engine:
        if sharded:
            sharded.shard()
            assert all(not one.numel() for one in net.parameters() if one.ndim)
        train(engine, batches, unscored, progress_of(recipe, Horizon(EPOCHS, len(BATCHES))), [hear])
        parts = engine.tensors()
        if sharded:
            best = sharded.scored_weights()
            sharded.unshard()
        else:
            best = engine.scored_net.state_dict()
    if group is not None and group.rank:
        parts, best = {}, {}
    assert engine.net is net
    assert all(one.requires_grad for one in net.parameters())
    return {
        "heard": heard, "parts": _numbers(parts), "best": _numbers(best), "net": _numbers(net.state_dict()),
        "scored": _numbers(engine.scored_net.state_dict()),
    }  # fmt: skip


def _numbers(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _numbers(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_numbers(value) for value in tree]
    return tree.tolist() if isinstance(tree, Tensor) else tree


class Choosing(nn.Module):
    """Which layer is called depends on the samples."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6, 3), nn.Linear(6, 3)])

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[int(x.sum() > 0)](x)


def _chosen(group: TrainingGroup) -> list[str]:
    """The layers out of turn that are told of where samples decide on the way."""
    net, recipe = Choosing().double(), Recipe(train={"precision": "float64"}, optim={"name": "sgd", "lr": 0.1})
    arguments = (
        net, build_loss("cross-entropy", recipe.loss), build_optimiser(recipe.optim, net),
        Schedule(recipe.schedule, Horizon(1, 1)), recipe, CPU,
    )  # fmt: skip
    told: list[str] = []
    with ShardedEngine(*arguments, group=group, units=("layers.0", "layers.1")) as engine:
        engine.shard()
        for sign in (1.0, -1.0):
            try:
                engine.forward(sign * torch.ones(2, 6).double())
            except UserError as error:
                told.append(str(error.faults[0].values["name"]))
    return told


def _all_trained() -> tuple[list[dict[str, Any]], list[str]]:
    with joined(launched()) as group:
        return [trained(case, group) for case in CASES], _chosen(group)


def _close(found: Any, wanted: Any, place: str) -> None:
    if isinstance(wanted, dict):
        assert list(found) == list(wanted), place
        for key in wanted:
            _close(found[key], wanted[key], f"{place} {key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), place
        for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
            _close(one, other, f"{place} {number}")
    elif not isinstance(wanted, float):
        assert found == wanted, place
    else:
        assert found == pytest.approx(wanted, rel=1e-8, abs=1e-10), place


@pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_in_parts_it_is_the_training_of_one(world: int, tmp_path: Path) -> None:
    alone = [trained(case, None) for case in CASES]
    told = in_processes(world, tmp_path / "meeting", _all_trained)
    for number, (case, wanted) in enumerate(zip(CASES, alone, strict=True)):
        _close(told[0][0][number], wanted, str(case))
        for rank in range(1, world):
            for key in ("heard", "net", "scored"):
                _close(told[rank][0][number][key], wanted[key], f"{case} {rank} {key}")
    # A net that calls other layers for other samples is told so, before sums are mixed up.
    assert [found[1] for found in told.values()] == [["layers.1", "layers.1"]] * world


def test_units_are_the_entries_of_sequences_and_lists() -> None:
    assert list(possible_units(made("tied"))) == ["layers.0", "layers.2"]
    assert list(possible_units(made("some"))) == []
    assert list(possible_units(made("pictures"))) == ["1", "2", "5", "7"]
    small = nn.Sequential(nn.Linear(50, 50), nn.BatchNorm1d(4), nn.Sequential(nn.Linear(50, 50), nn.ReLU()))
    assert list(possible_units(small)) == ["0", "2.0"]
