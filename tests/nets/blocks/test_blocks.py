"""Every block on its own: its shapes, its gradients against finite differences, and what its paper says of it."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.nets.blocks import (
    FEATURE_NORMS,
    MAP_NORMS,
    BasicBlock,
    Bottleneck,
    ConvNormActivation,
    CourseInception,
    DenseBlock,
    DenseLayer,
    Inception,
    InceptionHead,
    Residual,
    Transition,
)

# Block, input channels, output channels, factor by which the sides shrink.
BLOCKS: dict[str, tuple[Callable[[], nn.Module], int, int, int]] = {
    "convolution": (lambda: ConvNormActivation(2, 3, 5), 2, 3, 1),
    "convolution, stride": (lambda: ConvNormActivation(2, 3, 3, stride=2, norm="layer", activation="tanh"), 2, 3, 2),
    "convolution, bare": (lambda: ConvNormActivation(2, 3, 1, norm="none", activation="none"), 2, 3, 1),
    "inception": (lambda: Inception(3, 2, 2, 3, 1, 2, 2), 3, 9, 1),
    "inception, true 5×5": (lambda: Inception(3, 2, 2, 3, 1, 2, 2, five_kernel=5), 3, 9, 1),
    "course's inception": (lambda: CourseInception(3), 3, 88, 1),
    "residual": (lambda: Residual(nn.Conv2d(3, 3, 3, padding=1)), 3, 3, 1),
    "basic": (lambda: BasicBlock(3, 3), 3, 3, 1),
    "basic, projected": (lambda: BasicBlock(3, 4, stride=2), 3, 4, 2),
    "basic, plain": (lambda: BasicBlock(3, 4, stride=2, shortcut=False), 3, 4, 2),
    "bottleneck": (lambda: Bottleneck(8, 2), 8, 8, 1),
    "bottleneck, projected": (lambda: Bottleneck(3, 2, stride=2), 3, 8, 2),
    "bottleneck, plain": (lambda: Bottleneck(3, 2, stride=2, shortcut=False), 3, 8, 2),
    "dense layer": (lambda: DenseLayer(3, growth=2, dropout=0.2), 3, 2, 1),
    "dense block": (lambda: DenseBlock(3, layers=3, growth=2), 3, 9, 1),
    "transition": (lambda: Transition(4, 2), 4, 2, 2),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("name", BLOCKS)
def test_gradients_equal_finite_differences(name: str, gradients_agree: Callable[..., bool]) -> None:
    build, in_channels, _, _ = BLOCKS[name]
    assert gradients_agree(build, 3, in_channels, 4, 4)


def test_gradients_of_the_auxiliary_head_equal_finite_differences(gradients_agree: Callable[..., bool]) -> None:
    assert gradients_agree(lambda: InceptionHead(2, classes=3), 3, 2, 5, 5)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("size", [(6, 6), (8, 12), (5, 7)])
def test_shapes_are_those_of_the_docstring(name: str, size: tuple[int, int]) -> None:
    build, in_channels, out_channels, shrink = BLOCKS[name]
    # A convolution rounds up where its stride leaves a rest, a pooling down.
    sides = [side // shrink if name == "transition" else -(-side // shrink) for side in size]
    assert build()(torch.zeros(2, in_channels, *size)).shape == (2, out_channels, *sides)


@pytest.mark.parametrize(("norm", "bias"), [("none", True), ("batch", False), ("layer", False)])
def test_a_convolution_has_a_bias_only_where_nothing_cancels_it(norm: str, bias: bool) -> None:
    assert (ConvNormActivation(1, 2, 3, norm=norm).conv.bias is not None) is bias


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_normalised_features_and_maps_have_mean_0_and_variance_1(norm: str) -> None:
    x = torch.arange(4 * 6.0 * 5 * 5).sin().reshape(4, 6, 5, 5) * 3 + 2
    maps = MAP_NORMS[norm](6)(x)
    axes = (0, 2, 3) if norm == "batch" else (1, 2, 3)
    torch.testing.assert_close(maps.mean(axes), torch.zeros(x.shape[1 if norm == "batch" else 0]), atol=1e-5, rtol=0)
    features = FEATURE_NORMS[norm](150)(x.flatten(1))
    axis = 0 if norm == "batch" else 1
    spread = features.var(axis, correction=0)
    torch.testing.assert_close(spread, torch.ones_like(spread), atol=1e-2, rtol=0)


def test_a_residual_block_without_residue_hands_on_its_input() -> None:
    block = BasicBlock(3, 3)
    nn.init.zeros_(block.bn2.weight)
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(x), x)
    plain = BasicBlock(3, 3, shortcut=False)
    nn.init.zeros_(plain.bn2.weight)
    assert not plain(x).any()


def test_a_dense_block_hands_on_its_input_and_every_layers_maps() -> None:
    block = DenseBlock(3, layers=2, growth=2).eval()
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    first = block.denselayer1(x)
    second = block.denselayer2(torch.cat([x, first], 1))
    torch.testing.assert_close(block(x), torch.cat([x, first, second], 1))
