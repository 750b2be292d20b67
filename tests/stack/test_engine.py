"""The stacked engine for one model: it ends where the module engine does, and leaves the net as that one would."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook

from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, ScheduleRecipe, TrainRecipe
from danlu.base.seeds import preserved_randomness
from danlu.nets import MLP
from danlu.stack import StackedEngine, writes_out
from danlu.train.engine import Batch, Engine
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ModuleEngine
from danlu.train.optimisers import build_optimiser, resolve_optim
from danlu.train.progress import Progress
from danlu.train.schedules import Horizon, Schedule

CPU = torch.device("cpu")
SAMPLES, FEATURES, CLASSES, BATCH = 50, 6, 4, 16  # four batches an epoch, the last of two samples
EPOCHS = 13  # 52 steps
TARGETS = {
    "cross-entropy": "classes",
    "nll": "classes",
    "bce": "binary",
    "mse": "numbers",
    "l1": "numbers",
    "huber": "numbers",
}


def net(last: int, *hidden: nn.Module, **options: Any) -> nn.Module:
    with preserved_randomness():
        torch.manual_seed(1)
        return nn.Sequential(nn.Flatten(), nn.Linear(FEATURES, 9, **options), *hidden, nn.Linear(9, last, **options))


def recipe(loss: str = "cross-entropy", *, smoothing: float = 0.0, reduction: Any = "mean", **sections: Any) -> Recipe:
    optim = resolve_optim(OptimRecipe(**sections.get("optim", {"lr": 0.05})))
    settings = {"epochs": EPOCHS, "batch_size": BATCH, **sections.get("train", {})}
    return Recipe(
        optim=optim,
        loss=LossRecipe(name=loss, label_smoothing=smoothing, reduction=reduction, delta=0.3),
        schedule=ScheduleRecipe(**sections.get("schedule", {})),
        train=TrainRecipe(**settings),
    )


def samples(kind: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(SAMPLES, 2, FEATURES // 2, generator=generator, dtype=torch.float64).to(dtype)
    if kind == "numbers":
        return inputs, torch.randn(SAMPLES, 2, generator=generator, dtype=torch.float64).to(dtype)
    return inputs, torch.randint(2 if kind == "binary" else CLASSES, (SAMPLES,), generator=generator)


def engines(own: nn.Module, given: Recipe) -> tuple[ModuleEngine, StackedEngine]:
    """Both engines, each for a net of its own."""
    made = []
    for twin in (own, copy.deepcopy(own)):
        loss, optimizer = build_loss(given.loss.name, given.loss), build_optimiser(given.optim, twin)
        schedule = Schedule(given.schedule, Horizon(EPOCHS, -(-SAMPLES // (given.train.batch_size or 1))))
        made.append(ModuleEngine(twin, loss, optimizer, schedule, given, CPU))
    return made[0], StackedEngine(made[1], given, (2, FEATURES // 2))


def run(engine: Engine, given: Recipe, inputs: Tensor, targets: Tensor, events: list[Any] | None = None) -> None:
    size = given.train.batch_size or 1

    def batches(epoch: int, start: int) -> Iterator[Batch]:
        for first in range(start * size, SAMPLES, size):
            yield inputs[first : first + size], targets[first : first + size]

    progress = Progress(EPOCHS, -(-SAMPLES // size), loss_is_sum=given.loss.reduction == "sum")
    scores = iter([1.0, 0.9, 0.95, 0.96, *[0.99] * EPOCHS])
    listeners = [] if events is None else [events.append]
    with preserved_randomness(), engine:
        train(engine, batches, lambda: {"loss": next(scores)}, progress, listeners)


OPTIMISERS: list[dict[str, Any]] = [
    {"name": "sgd", "lr": 0.05, "momentum": 0.0},
    {"name": "sgd", "lr": 0.05},
    {"name": "sgd", "lr": 0.05, "weight_decay": 0.01},
    {"name": "sgd", "lr": 0.05, "momentum": 0.0, "weight_decay": 0.01},
    {"name": "sgd", "lr": 0.05, "nesterov": True},
    {"name": "sgd", "lr": 0.05, "dampening": 0.2},
    {"name": "adam", "lr": 0.01},
    {"name": "adam", "lr": 0.01, "amsgrad": True, "weight_decay": 0.01},
    {"name": "adamw", "lr": 0.01, "betas": (0.8, 0.99), "weight_decay": 0.1},
    {"name": "adagrad", "lr": 0.05, "lr_decay": 0.01},
    {"name": "rmsprop", "lr": 0.005, "centered": True, "momentum": 0.5},
]
WAYS: list[dict[str, Any]] = [
    {},
    {"train": {"clip_norm": 0.3}},
    {"train": {"clip_value": 0.02, "clip_norm": 0.5}},
    {"train": {"ema": 0.8}},
    {"train": {"batch_size": 7}},
    {"train": {"batch_size": SAMPLES}},
    {"schedule": {"name": "cosine", "warmup": 3}},
    {"schedule": {"name": "one-cycle"}},
    {"schedule": {"name": "step", "every": 2, "gamma": 0.5}},
    {"schedule": {"name": "plateau", "patience": 0, "gamma": 0.5}},
]
HIDDEN: dict[str, Callable[[], list[nn.Module]]] = {
    "none": list,
    "relu": lambda: [nn.ReLU()],
    "relu in place": lambda: [nn.ReLU(inplace=True), nn.Dropout(0.3)],
    "tanh": lambda: [nn.Tanh(), nn.Identity()],
    "sigmoid": lambda: [nn.Sigmoid()],
    "leaky": lambda: [nn.LeakyReLU(0.2), nn.Dropout(0.5)],
    "elu": lambda: [nn.ELU(0.7)],
    "gelu": lambda: [nn.GELU("tanh")],
    "silu": lambda: [nn.SiLU(), nn.Linear(9, 9), nn.GELU(), nn.Dropout(0.2)],
}


def check_equal(own: nn.Module, given: Recipe, dtype: torch.dtype) -> None:
    """Both engines end with the same weights, losses, rates and norms, and after other weights than at the start."""
    own = own.to(dtype)
    given = replace(given, train=replace(given.train, precision="float64" if dtype is torch.float64 else "float32"))
    assert writes_out(own, given, (2, FEATURES // 2))
    before = [parameter.detach().clone() for parameter in own.parameters()]
    modular, stacked = engines(own, given)
    data = samples(TARGETS[given.loss.name], dtype)
    events: tuple[list[Any], list[Any]] = [], []
    run(modular, given, *data, events[0])
    run(stacked, given, *data, events[1])
    precision = 1e-12 if dtype is torch.float64 else 1e-5
    assert any((old - now).abs().max() > 1e-3 for old, now in zip(before, own.parameters(), strict=True))
    for net_of in (lambda engine: engine.net, lambda engine: engine.scored_net):
        wanted, found = net_of(modular).state_dict(), net_of(stacked).state_dict()
        for name, tensor in wanted.items():
            torch.testing.assert_close(found[name], tensor, rtol=precision, atol=precision)
    for one, other in zip(*events, strict=True):
        assert type(one) is type(other)
        for field in ("loss", "lr", "norm", "samples"):
            wanted, found = getattr(one, field, None), getattr(other, field, None)
            assert (wanted is None) == (found is None)
            if wanted is not None:
                assert torch.as_tensor(found).shape == ()
                torch.testing.assert_close(float(found), float(wanted), rtol=1e-4, atol=1e-6)


@pytest.mark.every(4)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("optim", OPTIMISERS, ids=lambda one: " ".join(str(value) for value in one.values()))
def test_optimisers_in_every_way(optim: dict[str, Any], dtype: torch.dtype) -> None:
    for way in WAYS if dtype is torch.float64 else WAYS[:2]:
        check_equal(net(CLASSES, nn.ReLU(), nn.Dropout(0.3)), recipe(optim=optim, **way), dtype)


@pytest.mark.every(12)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_losses_behind_every_activation(hidden: str, dtype: torch.dtype) -> None:
    last = {"classes": CLASSES, "binary": 1, "numbers": 2}
    for loss, kind in TARGETS.items():
        for reduction in ("mean", "sum") if dtype is torch.float64 else ("mean",):
            optim = {"lr": 0.02 if reduction == "mean" else 0.001}
            own = net(last[kind], *HIDDEN[hidden](), bias=loss != "huber")
            check_equal(own, recipe(loss, reduction=reduction, optim=optim), dtype)
    check_equal(net(CLASSES, *HIDDEN[hidden]()), recipe(smoothing=0.1), dtype)


def test_a_layer_that_is_not_trained_stays_as_it_is() -> None:
    own = net(CLASSES, nn.ReLU(), nn.Linear(9, 9))
    own[3].requires_grad_(False)
    before = copy.deepcopy(own[3].state_dict())
    check_equal(own, recipe(), torch.float64)
    assert all(torch.equal(tensor, before[name].double()) for name, tensor in own[3].state_dict().items())


def test_the_weights_lie_where_they_did_when_it_ends_however_it_ends() -> None:
    given = recipe()
    _, stacked = engines(net(CLASSES, nn.ReLU()), given)
    places = [parameter.data_ptr() for parameter in stacked.net.parameters()]
    before = [parameter.detach().clone() for parameter in stacked.net.parameters()]

    def stop(event: Any) -> None:
        if getattr(event, "step", 0) == 5:
            raise MemoryError("no room")

    inputs, targets = samples("classes", torch.float32)
    with pytest.raises(MemoryError, match="no room"), stacked:
        train(stacked, lambda epoch, start: [(inputs, targets)], lambda: None, Progress(EPOCHS, 1), [stop])
    assert [parameter.data_ptr() for parameter in stacked.net.parameters()] == places
    assert not any(torch.equal(old, now) for old, now in zip(before, stacked.net.parameters(), strict=True))
    assert all(parameter.is_leaf and parameter.requires_grad for parameter in stacked.net.parameters())


def test_the_net_has_the_current_weights_at_every_step() -> None:
    given = recipe()
    modular, stacked = engines(net(CLASSES, nn.Tanh()), given)
    seen: dict[int, list[Tensor]] = {0: [], 1: []}
    for number, engine in enumerate((modular, stacked)):

        class Noting(list[Any]):
            def append(self, event: Any, own: nn.Module = engine.net, number: int = number) -> None:
                seen[number].append(torch.cat([one.detach().flatten() for one in own.parameters()]))

        run(engine, given, *samples("classes", torch.float32), Noting())
    assert len(seen[0]) > 50
    torch.testing.assert_close(torch.stack(seen[1]), torch.stack(seen[0]), rtol=1e-5, atol=1e-5)


class Looking:
    """Asks for every step, and notes the weights when it begins, before they move, and after."""

    wants = True

    def __init__(self, own: nn.Module) -> None:
        self.own = own
        self.noted: list[Tensor] = []

    def passes(self, batch: Batch, outputs: Tensor, loss: Tensor) -> bool:
        raise AssertionError("every step is shown")

    def before(self) -> None:
        self.noted.append(self.weights())

    def after(self) -> None:
        self.noted.append(self.weights())

    def weights(self) -> Tensor:
        return torch.cat([one.detach().flatten() for one in self.own.parameters()])


@pytest.mark.every(4)
@pytest.mark.parametrize("way", WAYS[:4])
@pytest.mark.parametrize("optim", OPTIMISERS)
def test_whoever_looks_sees_the_weights_move_in_the_update_alone(optim: dict[str, Any], way: dict[str, Any]) -> None:
    _, stacked = engines(net(CLASSES, nn.Tanh()), given := recipe(optim=optim, **way))
    looking = Looking(stacked.net)
    stacked.onlooker = looking
    first = looking.weights()
    run(stacked, given, *samples("classes", torch.float32))
    before, after = torch.stack(looking.noted[::2]), torch.stack(looking.noted[1::2])
    assert torch.equal(before, torch.cat([first[None], after[:-1]]))
    assert (before != after).any(1).all()


def test_batches_of_many_sizes_keep_few_buffers() -> None:
    given = recipe()
    modular, stacked = engines(net(CLASSES, nn.ReLU()), given)
    inputs, targets = samples("classes", torch.float32)
    batches = [(inputs[:size], targets[:size]) for size in range(1, SAMPLES)]
    for engine in (modular, stacked):
        with engine:
            train(engine, lambda epoch, start: batches, lambda: None, Progress(2, len(batches)), [])
    for one, other in zip(modular.net.parameters(), stacked.net.parameters(), strict=True):
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-5)
    assert len(stacked._chain._passes_of) <= 16


class Own(nn.Sequential):
    """Somebody's class: its forward may do anything."""


def hooked(register: str) -> nn.Module:
    own = net(CLASSES, nn.ReLU())
    getattr(own[1], register)(lambda *_: None)
    return own


def changed(change: Callable[[Any], Any]) -> nn.Module:
    own = net(CLASSES, nn.ReLU())
    change(own)
    return own


def tied(own: Any) -> None:
    own.append(nn.Linear(CLASSES, 9)).append(nn.Linear(9, CLASSES))
    own[5].weight = own[3].weight


def views(own: Any) -> None:
    flat = torch.cat([parameter.detach().flatten() for parameter in own.parameters()])
    for parameter, part in zip(own.parameters(), flat.split([one.numel() for one in own.parameters()]), strict=True):
        parameter.data = part.view_as(parameter)


NOT_WRITTEN_OUT: dict[str, Callable[[], nn.Module]] = {
    "forward hook": lambda: hooked("register_forward_hook"),
    "forward pre-hook": lambda: hooked("register_forward_pre_hook"),
    "backward hook": lambda: hooked("register_full_backward_hook"),
    "backward pre-hook": lambda: hooked("register_full_backward_pre_hook"),
    "parameter hook": lambda: changed(lambda own: own[1].weight.register_hook(lambda grad: grad)),
    "accumulation hook": lambda: changed(
        lambda own: own[1].weight.register_post_accumulate_grad_hook(lambda parameter: None)
    ),
    "own forward": lambda: changed(lambda own: setattr(own[1], "forward", lambda x: x @ own[1].weight.T)),
    "compiled": lambda: changed(lambda own: setattr(own, "_compiled_call_impl", own._call_impl)),
    "own class": lambda: Own(*net(CLASSES, nn.ReLU())),
    "weight norm": lambda: changed(lambda own: nn.utils.parametrizations.weight_norm(own[1])),
    "pruning": lambda: changed(lambda own: __import__("torch.nn.utils.prune", fromlist=["_"]).identity(own[1], "bias")),
    "tied": lambda: changed(tied),
    "views of one tensor": lambda: changed(views),
    "not contiguous": lambda: changed(lambda own: setattr(own[1].weight, "data", own[1].weight.data.T.contiguous().T)),
    "two types": lambda: changed(lambda own: own[1].double()),
    "nothing trained": lambda: changed(lambda own: own.requires_grad_(False)),
    "batch norm": lambda: net(CLASSES, nn.BatchNorm1d(9)),
    "random activation": lambda: net(CLASSES, nn.RReLU()),
    "residual": lambda: MLP(FEATURES, CLASSES, hidden=(6, 6), residual=True),
}


@pytest.mark.parametrize("name", NOT_WRITTEN_OUT)
def test_what_somebody_listens_to_or_no_chain_is_left_to_the_module_engine(name: str) -> None:
    assert not writes_out(NOT_WRITTEN_OUT[name](), recipe(), (2, FEATURES // 2))


@pytest.mark.parametrize(
    "sections",
    [
        {"optim": {"name": "radam"}},
        {"optim": {"rates": ("1:0.1",)}},
        {"train": {"accumulate": 2}},
        {"train": {"precision": "bfloat16"}},
        {"train": {"freeze": ("1",)}},
    ],
    ids=str,
)
def test_what_a_stack_has_not_is_left_to_the_module_engine(sections: dict[str, Any]) -> None:
    assert not writes_out(net(CLASSES, nn.ReLU()), recipe(**sections), (2, FEATURES // 2))


def test_hooks_on_all_modules_or_optimisers_are_heard() -> None:
    own, given = net(CLASSES, nn.ReLU()), recipe()
    assert writes_out(own, given, (2, FEATURES // 2))
    for register in (register_module_forward_hook, register_optimizer_step_post_hook):
        handle = register(lambda *_: None)
        assert not writes_out(own, given, (2, FEATURES // 2))
        handle.remove()
    with pytest.warns(UserWarning, match="Anomaly"), torch.autograd.detect_anomaly(check_nan=False):
        assert not writes_out(own, given, (2, FEATURES // 2))
    assert writes_out(own, given, (2, FEATURES // 2))
