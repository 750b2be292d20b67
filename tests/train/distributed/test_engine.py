"""Shared by however many, a training is that of one process: the same samples, gradients and statistics."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from danlu.base.events import Event
from danlu.base.recipe import Recipe
from danlu.train.distributed.engine import SharedEngine
from danlu.train.distributed.group import Alone, TrainingGroup
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ModuleEngine
from danlu.train.optimisers import build_optimiser
from danlu.train.progress import progress_of, unscored
from danlu.train.schedules import Horizon, Schedule
from sharing_threads import in_threads

CPU = torch.device("cpu")
EPOCHS, BATCHES = 2, (12, 12, 12, 7)  # the last batch is smaller, and divides by no number of processes
STREAM = torch.Generator().manual_seed(1)
X, Y = torch.randn(sum(BATCHES), 6, generator=STREAM), torch.randint(0, 3, (sum(BATCHES),), generator=STREAM)


class Unused(nn.Module):
    """A net of which a part is never reached, and another only by some samples."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.some, self.never = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(2, 2)
        self.last = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x).relu()
        wanted = x[:, :1] > 1.0
        if bool(wanted.any()):
            hidden = hidden + self.some(hidden) * wanted
        return self.last(hidden)


NETS: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)),
    "norm": lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
    "cumulative": lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, momentum=None), nn.Linear(8, 3)),
    "unaffine": lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, affine=False), nn.Linear(8, 3)),
    "pictures": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)
    ),
    "unused": Unused,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "sgd": {"optim": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}},
    "adam, clipped": {"optim": {"name": "adam", "lr": 0.01}, "train": {"clip_norm": 0.5, "ema": 0.9}},
    "accumulated": {"optim": {"name": "sgd", "lr": 0.1}, "train": {"batch_size": 3, "accumulate": 4}},
    "sum": {"optim": {"name": "sgd", "lr": 0.01}, "loss": {"name": "cross-entropy", "reduction": "sum"}},
    "weighted": {
        "optim": {"name": "sgd", "lr": 0.1},
        "loss": {"name": "cross-entropy", "class_weights": (1.0, 5.0, 0.5)},
    },
}


NORMED = ("norm", "cumulative", "unaffine", "pictures")
# Portions that are accumulated have statistics of their own, of other samples for other numbers of processes.
PAIRS = [(name, settings) for name in NETS for settings in SETTINGS if settings != "accumulated" or name not in NORMED]


def recipe_of(settings: dict[str, Any], **train_settings: Any) -> Recipe:
    whole = {"batch_size": 12, "precision": "float64", "epochs": EPOCHS, **settings.get("train", {}), **train_settings}
    return Recipe(**{"loss": {"name": "cross-entropy"}, **settings, "train": whole})


def trained(
    net: nn.Module, recipe: Recipe, group: TrainingGroup | None
) -> tuple[dict[str, Tensor], list[float], nn.Module]:
    """The weights and losses of a training on the batches above, in one process where there is no group."""
    dtype = torch.float64 if recipe.train.precision == "float64" else torch.float32
    net = copy.deepcopy(net).to(dtype)
    arguments = (
        net,
        build_loss(recipe.loss.name, recipe.loss),
        build_optimiser(recipe.optim, net),
        Schedule(recipe.schedule, Horizon(EPOCHS, len(BATCHES))),
        recipe,
        CPU,
    )
    engine = ModuleEngine(*arguments) if group is None else SharedEngine(*arguments, group=group)
    losses: list[float] = []

    def batches(epoch: int, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(X.to(dtype).split(BATCHES), Y.split(BATCHES), strict=True)

    def hear(event: Event) -> None:
        if hasattr(event, "loss"):
            losses.append(float(event.loss))  # pyright: ignore[reportAttributeAccessIssue]

    progress = progress_of(recipe, Horizon(EPOCHS, len(BATCHES)))
    with engine:
        train(engine, batches, unscored, progress, [hear])
    assert progress.samples == 0
    return {name: one.clone() for name, one in engine.scored_net.state_dict().items()}, losses, net


def made(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return NETS[name]()


@pytest.mark.every(3)
@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize(("name", "settings"), PAIRS)
def test_several_processes_train_what_one_does(name: str, settings: str, world: int) -> None:
    net, recipe = made(name), recipe_of(SETTINGS[settings])
    alone, losses, _ = trained(net, recipe, None)
    for weights, heard, _ in in_threads(world, lambda group: trained(net, recipe, group)):
        assert heard == pytest.approx(losses, rel=1e-9)
        for key, one in weights.items():
            torch.testing.assert_close(one, alone[key], rtol=1e-9, atol=1e-10, msg=key)


@pytest.mark.parametrize("name", NETS)
def test_more_processes_than_samples_in_the_last_batch_wait_for_nobody(name: str) -> None:
    recipe = recipe_of(SETTINGS["sgd"])
    few = X[:1].double(), Y[:1]
    net = made(name).double()
    if name in ("norm", "cumulative", "unaffine"):
        few = X[:2].double(), Y[:2]
    plain = copy.deepcopy(net)
    nn.functional.cross_entropy(plain(few[0]), few[1]).backward()

    def step(group: TrainingGroup) -> list[Tensor | None]:
        own = copy.deepcopy(net)
        optimizer = build_optimiser(recipe.optim, own)
        schedule = Schedule(recipe.schedule, Horizon(1, 1))
        with SharedEngine(
            own, build_loss("cross-entropy", recipe.loss), optimizer, schedule, recipe, CPU, group=group
        ) as engine:
            engine.start_epoch(0, 0)
            engine.begin(0)
            for inputs, targets in engine.parts(few):
                engine.backward(engine.loss(engine.forward(inputs), targets))
            engine.clip()
            assert engine.size(few) == (len(few[0]), len(few[0]))
        return [one.grad for one in own.parameters()]

    for gradients in in_threads(3, step):
        for gradient, one in zip(gradients, plain.parameters(), strict=True):
            assert (gradient is None) == (one.grad is None)
            if gradient is not None and one.grad is not None:
                torch.testing.assert_close(gradient, one.grad, rtol=1e-9, atol=1e-10)


@pytest.mark.every(6)
@pytest.mark.parametrize(("name", "settings"), PAIRS)
def test_an_exact_training_has_the_same_bits_on_any_number_of_processes(name: str, settings: str) -> None:
    net = made(name)
    workers = 3 if name in NORMED else None  # no part of the last batch has a single sample
    recipe = recipe_of(SETTINGS[settings], exact=True, virtual_workers=workers, precision="float32")
    alone, losses, _ = trained(net, recipe, Alone())
    for world in range(2, (recipe.train.workers or 1) + 1):
        for weights, heard, _ in in_threads(world, lambda group: trained(net, recipe, group)):
            assert heard == losses
            assert all(torch.equal(one, alone[key]) for key, one in weights.items())


def test_layers_are_torch_s_own_again_after_it() -> None:
    net = made("norm")
    for _, _, own in in_threads(2, lambda group: trained(net, recipe_of(SETTINGS["sgd"]), group)):
        assert not any("forward" in vars(module) for module in own.modules())


def test_a_copy_of_a_layer_waits_for_nobody() -> None:
    net, recipe = made("norm").double(), recipe_of(SETTINGS["sgd"])
    optimizer, schedule = build_optimiser(recipe.optim, net), Schedule(recipe.schedule, Horizon(1, 1))

    class Silent(Alone):
        world = 2  # of which the other never answers

        def rows(self, tensor: Tensor) -> Tensor:
            raise AssertionError("another process was asked")

    loss = build_loss("cross-entropy", recipe.loss)
    with SharedEngine(net, loss, optimizer, schedule, recipe, CPU, group=Silent()) as engine:
        engine.start_epoch(0, 0)
        copied = copy.deepcopy(net)
        assert torch.equal(copied(X[:5].double()), copy.deepcopy(made("norm").double())(X[:5].double()))
        net(X[:5].double())
        inputs, _ = next(iter(engine.parts((X[:4].double(), Y[:4]))))
        with pytest.raises(AssertionError, match="was asked"):
            engine.forward(inputs)
