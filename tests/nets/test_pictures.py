"""Nets for pictures: forward and backward at three sizes, plain twins, options, GoogLeNet's auxiliary heads."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.base.errors import UserError
from danlu.base.seeds import global_seed, stream
from danlu.nets import (
    DenseNet121,
    DenseNet169,
    GoogLeNet,
    GoogLeNetOutputs,
    ResNet18,
    ResNet34,
    ResNet50,
    ResNet101,
    SmallDenseNet,
    SmallInception,
    SmallResNet,
    build,
)
from danlu.nets.blocks import BasicBlock, Bottleneck

LARGE = [GoogLeNet, ResNet18, ResNet34, ResNet50, ResNet101, DenseNet121, DenseNet169]
SMALL = [SmallResNet, SmallDenseNet]


def pictures(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=stream(0, "test"))


def learns(net: nn.Module, x: torch.Tensor) -> None:
    """Logits of ten classes for every sample, and a gradient at every weight that can have one."""
    logits = net(x)
    assert logits.shape == (len(x), 10)
    F.cross_entropy(logits, torch.arange(len(x))).backward()
    without = [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not without
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in net.parameters())


@pytest.mark.every(4)
@pytest.mark.parametrize("net", LARGE)
@pytest.mark.parametrize(
    "size", [(33, 33), *(pytest.param(size, marks=pytest.mark.slow) for size in ((64, 64), (40, 96)))]
)
def test_large_nets_learn_at_three_sizes(net: Callable[..., nn.Module], size: tuple[int, int]) -> None:
    with global_seed(0, "test"):
        learns(net(classes=10), pictures(2, 3, *size))


@pytest.mark.parametrize("net", SMALL)
@pytest.mark.parametrize(("channels", "size"), [(1, (28, 28)), (3, (32, 32)), (1, (8, 20))])
def test_small_nets_learn_at_three_sizes(net: Callable[..., nn.Module], channels: int, size: tuple[int, int]) -> None:
    with global_seed(0, "test"):
        learns(net(channels=channels), pictures(3, channels, *size))


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (1, 16), (1, 45)])
def test_the_courses_net_fits_the_size_of_the_pictures(channels: int, size: int) -> None:
    net = build("small-inception", {}, sample_shape=(channels, size, size), outputs=10, task="classification")
    learns(net, pictures(3, channels, size, size))


def test_the_courses_net_has_1408_features_at_28() -> None:
    assert SmallInception().fc.in_features == 88 * 4 * 4 == 1408


TWINS = [ResNet18, ResNet50, SmallResNet]


@pytest.mark.parametrize("net", TWINS)
def test_a_plain_twin_lacks_nothing_but_the_projections(net: Any) -> None:
    with torch.device("meta"):
        residual, plain = net(), net(shortcut=False)
    projections = {name for name, _ in residual.named_parameters() if ".downsample." in name}
    assert projections
    shapes = {name: weight.shape for name, weight in residual.named_parameters() if name not in projections}
    assert {name: weight.shape for name, weight in plain.named_parameters()} == shapes


@pytest.mark.every(3)
@pytest.mark.parametrize("net", TWINS)
def test_only_the_plain_twin_forgets_what_its_blocks_drop(net: Any) -> None:
    def spread(shortcut: bool) -> float:
        with global_seed(0, "test"):
            made = net(channels=1, classes=10, shortcut=shortcut)
        for block in made.modules():
            if isinstance(block, BasicBlock | Bottleneck):
                nn.init.zeros_((block.bn3 if isinstance(block, Bottleneck) else block.bn2).weight)
        return made(pictures(3, 1, 32, 32)).std(0).sum().item()

    assert spread(shortcut=True) > 0.01
    assert spread(shortcut=False) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("depth", "blocks"), [(8, 1), (20, 3), (56, 9)])
def test_depth_counts_the_layers_of_a_small_resnet(depth: int, blocks: int) -> None:
    net = SmallResNet(depth=depth, shortcut=False)
    assert [len(group) for group in (net.layer1, net.layer2, net.layer3)] == [blocks] * 3
    assert sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in net.modules()) == depth


def test_depth_counts_the_layers_of_a_small_densenet() -> None:
    for depth in (10, 40):
        layers = [layer for layer in SmallDenseNet(depth=depth).modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        assert len(layers) == depth


@pytest.mark.parametrize(
    ("net", "depth"), [(SmallResNet, 2), (SmallResNet, 21), (SmallDenseNet, 4), (SmallDenseNet, 20)]
)
def test_a_depth_that_no_such_net_has_is_refused(net: Any, depth: int, language: str) -> None:
    with pytest.raises(UserError, match=rf"net\.depth.* {depth}\b.*6n \+ [24]"):
        net(depth=depth)


def test_dropout_of_dense_layers() -> None:
    assert [layer.p for layer in SmallDenseNet(depth=10, dropout=0.2).modules() if isinstance(layer, nn.Dropout)] == [
        0.2
    ] * 3


def test_convolutions_start_as_in_the_paper() -> None:
    weight = ResNet18().layer4[1].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)


class TestAuxiliaryHeads:
    def test_they_work_in_training_mode_only(self) -> None:
        net = GoogLeNet(classes=10, aux=True)
        outputs = net(pictures(2, 3, 64, 64))
        assert isinstance(outputs, GoogLeNetOutputs)
        assert [logits.shape for logits in outputs] == [(2, 10)] * 3
        assert isinstance(net.eval()(pictures(2, 3, 64, 64)), torch.Tensor)

    def test_their_loss_counts_three_tenths(self) -> None:
        logits = pictures(3, 4, 10)
        targets = torch.arange(4)
        losses = [F.cross_entropy(part, targets) for part in logits]
        total = GoogLeNetOutputs(*logits).loss(F.cross_entropy, targets)
        torch.testing.assert_close(total, losses[0] + 0.3 * (losses[1] + losses[2]))

    def test_every_weight_learns_from_it(self) -> None:
        with global_seed(0, "test"):
            net = GoogLeNet(classes=10, aux=True, init="kaiming-normal")
            outputs = net(pictures(2, 3, 64, 64))
        assert isinstance(outputs, GoogLeNetOutputs)
        outputs.loss(F.cross_entropy, torch.tensor([1, 2])).backward()
        assert all(weight.grad is not None and weight.grad.any() for weight in net.parameters())
