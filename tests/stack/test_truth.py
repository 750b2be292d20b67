"""Each member of a stack equals the same recipe trained alone."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from danlu.base.recipe import OptimRecipe, Recipe, ScheduleRecipe
from danlu.nets import MLP, LeNet5, SequenceClassifier, SmallDenseNet, SmallInception, SmallResNet
from danlu.stack.chain import ChainNet
from danlu.stack.folded import FoldedNet
from danlu.stack.mapped import MappedNet
from stack_twins import check_members, recipe

RATES = (0.005, 0.01, 0.02, 0.03)
# In float64 the equality is the sharper one; single precision takes as long again, and is looked at for the quickest.
DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
MOSTLY_DOUBLE = pytest.mark.parametrize(
    "dtype", [torch.float64, pytest.param(torch.float32, marks=pytest.mark.slow)], ids=["float64", "float32"]
)


def four(**settings: object) -> list[Recipe]:
    """Four recipes with four rates and two seeds."""
    return [
        recipe(OptimRecipe(lr=rate, momentum=0.9), seed=seed, **settings)  # type: ignore[arg-type]
        for rate, seed in zip(RATES, (3, 4, 3, 4), strict=True)
    ]


@DTYPES
def test_mlp_with_dropout_and_clipping(dtype: torch.dtype) -> None:
    recipes = [replace(entry, train=replace(entry.train, clip_norm=0.5 + k)) for k, entry in enumerate(four())]
    step = check_members(lambda k: MLP(6, 4, (16, 8), dropout=0.1 + 0.2 * (k % 2)), recipes, (6,), dtype=dtype)
    assert isinstance(step.net, ChainNet)


@DTYPES
def test_mlp_in_fused_descent(dtype: torch.dtype) -> None:
    step = check_members(lambda k: MLP(6, 4, (16, 8)), four(), (2, 3), dtype=dtype)
    assert step.fused


def _channels_last(net: nn.Module) -> nn.Module:
    """As `fit` lays out danlu's own nets for pictures; dropout then draws in that order."""
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


NETS: dict[str, tuple[Callable[[int], nn.Module], tuple[int, ...], type]] = {
    "lenet5": (lambda k: LeNet5(classes=4), (1, 28, 28), FoldedNet),
    "lenet5 on digits": (lambda k: LeNet5(classes=4, pooling="average"), (1, 8, 8), FoldedNet),
    "small-resnet": (lambda k: SmallResNet(classes=4, depth=8), (1, 8, 8), FoldedNet),
    "small-inception": (lambda k: SmallInception(classes=4, size=16), (1, 16, 16), FoldedNet),
    "small-densenet": (
        lambda k: _channels_last(SmallDenseNet(classes=4, depth=10, growth=4, dropout=0.1 + 0.1 * k)),
        (1, 8, 8),
        FoldedNet,
    ),
    "mlp with batch norm": (lambda k: MLP(6, 4, (16, 8), norm="batch", dropout=0.2), (6,), FoldedNet),
    "mlp with layer norm": (lambda k: MLP(6, 4, (16,), norm="layer", activation="gelu"), (6,), FoldedNet),
    "residual mlp": (lambda k: MLP(6, 4, (8, 8), residual=True, dropout=0.3), (6,), FoldedNet),
}


@pytest.mark.every(8)
@MOSTLY_DOUBLE
@pytest.mark.parametrize("name", NETS)
def test_nets(name: str, dtype: torch.dtype) -> None:
    make, shape, kind = NETS[name]
    # Small rates: at larger ones rounding alone grows a thousandfold in fifty steps of a net with batch norm.
    recipes = [recipe(OptimRecipe(lr=0.002 * (k + 1), momentum=0.9), seed=k % 2, clip_norm=1.0 + k) for k in range(4)]
    step = check_members(make, recipes, shape, dtype=dtype)
    assert isinstance(step.net, kind)


@pytest.mark.every(3)
@MOSTLY_DOUBLE
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_recurrent_nets(cell: str, dtype: torch.dtype) -> None:
    def make(k: int) -> nn.Module:
        return SequenceClassifier(9, 4, cell=cell, embedding=5, hidden=6, engine="own", dropout=0.2, bidirectional=True)

    recipes = [replace(entry, train=replace(entry.train, clip_norm=1.0 + k)) for k, entry in enumerate(four())]
    step = check_members(make, recipes, (5,), dtype=dtype, tokens=9)
    assert isinstance(step.net, MappedNet)


@pytest.mark.every(2)
@pytest.mark.parametrize("placement", ["around", "inside"])
def test_dropout_of_cells(placement: str) -> None:
    def make(k: int) -> nn.Module:
        return SequenceClassifier(
            9, 4, embedding=5, hidden=6, layers=2, engine="own", dropout=0.3, dropout_placement=placement
        )

    check_members(make, four(), (5,), tokens=9)


class Layers(nn.Module):
    """Every supported layer that the nets above leave out."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular"),
            nn.GroupNorm(2, 4),
            nn.PReLU(4),
            nn.Dropout2d(0.3),
            nn.Conv2d(4, 8, 3, groups=2, stride=2, bias=False),
            nn.BatchNorm2d(8, momentum=None),
            nn.Hardswish(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.table = nn.Embedding(5, 3, padding_idx=0)
        self.scale = nn.LayerNorm([8, 3])
        self.bars = nn.Sequential(nn.Conv1d(8, 4, 2), nn.BatchNorm1d(4, affine=False), nn.ELU(), nn.Flatten())
        self.out = nn.Linear(32 + 8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.features(x)
        words = self.table((x[:, 0, 0, :8].abs() * 2).long().clamp(max=4))
        return self.out(torch.cat([features, self.bars(self.scale(words))], dim=1))


@MOSTLY_DOUBLE
def test_layers(dtype: torch.dtype) -> None:
    step = check_members(lambda k: Layers(), four(), (2, 9, 9), dtype=dtype)
    assert isinstance(step.net, FoldedNet)


@pytest.mark.every(3)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "elu", "leaky-relu", "silu", "none"])
def test_activations_of_chains(activation: str) -> None:
    step = check_members(lambda k: MLP(6, 4, (8, 8), activation=activation, dropout=0.2), four(), (6,))
    assert isinstance(step.net, ChainNet)


OPTIMISERS = {
    "momentum": OptimRecipe(momentum=0.9),
    "plain": OptimRecipe(momentum=0.0),
    "dampening": OptimRecipe(momentum=0.9, dampening=0.3),
    "nesterov": OptimRecipe(momentum=0.9, nesterov=True),
    "adam": OptimRecipe(name="adam"),
    "amsgrad": OptimRecipe(name="adam", amsgrad=True),
    "adamw": OptimRecipe(name="adamw"),
    "adagrad": OptimRecipe(name="adagrad", lr_decay=0.01, initial_accumulator_value=0.1),
    "rmsprop": OptimRecipe(name="rmsprop", momentum=0.5),
    "centered": OptimRecipe(name="rmsprop", centered=True, alpha=0.9),
}


@pytest.mark.every(4)
@MOSTLY_DOUBLE
@pytest.mark.parametrize("decay", [False, True], ids=["", "decay"])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers(name: str, decay: bool, dtype: torch.dtype) -> None:
    def settings(k: int, optim: OptimRecipe) -> OptimRecipe:
        adaptive = optim.name in ("adam", "adamw")
        rate = (0.002 if optim.name != "sgd" else 0.02) * (k + 1)
        optim = replace(optim, lr=rate, weight_decay=0.01 * k if decay else None)
        return replace(optim, betas=(0.8 + 0.03 * k, 0.99 - 0.01 * k)) if adaptive else optim

    recipes = [recipe(settings(k, OPTIMISERS[name])) for k in range(4)]
    check_members(lambda k: MLP(6, 4, (16,)), recipes, (6,), dtype=dtype)
    # Not batch norm: the bias before it has no gradient but noise, which these optimisers blow up to full steps.
    check_members(lambda k: MLP(6, 4, (16,), norm="layer"), recipes, (6,), dtype=dtype)


def test_momentum_of_each_member() -> None:
    recipes = [recipe(OptimRecipe(lr=0.05, momentum=0.3 * k, weight_decay=0.01)) for k in range(4)]
    step = check_members(lambda k: MLP(6, 4, (16,)), recipes, (6,))
    assert step.fused


SCHEDULES = {
    "cosine": ScheduleRecipe(name="cosine", warmup=5),
    "step": ScheduleRecipe(name="step", every=2),
    "one-cycle": ScheduleRecipe(name="one-cycle"),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str) -> None:
    recipes = four(schedule=SCHEDULES[name])
    step = check_members(lambda k: MLP(6, 4, (16,)), recipes, (6,))
    assert step.fused
    recipes[1] = replace(recipes[1], schedule=ScheduleRecipe(warmup=9))
    check_members(lambda k: MLP(6, 4, (16,)), recipes, (6,))


@pytest.mark.slow
def test_moving_average_and_clipping_by_value() -> None:
    recipes = [
        replace(entry, train=replace(entry.train, ema=0.9 - 0.1 * k, clip_value=0.01 * (k + 1)))
        for k, entry in enumerate(four())
    ]
    check_members(lambda k: MLP(6, 4, (16,)), recipes, (6,))
    check_members(lambda k: SmallResNet(classes=4, depth=8), recipes, (1, 8, 8))


def test_accumulated_batches() -> None:
    recipes = [replace(entry, train=replace(entry.train, batch_size=3, accumulate=3)) for entry in four()]
    check_members(lambda k: MLP(6, 4, (16,), dropout=0.2), recipes, (6,))


@pytest.mark.every(3)
@pytest.mark.parametrize("group_of", [(0, 1, 2, 3), (0, 0, 0, 0), (0, 0, 0, 1)])
def test_groups(group_of: tuple[int, ...]) -> None:
    check_members(lambda k: MLP(6, 4, (16,)), four(), (6,), group_of=group_of)
    check_members(lambda k: LeNet5(classes=4), four(), (1, 28, 28), group_of=group_of)
