"""Densely connected nets (Huang, Liu, van der Maaten and Weinberger 2016, https://arxiv.org/abs/1608.06993).

Names and shapes of parameters are torchvision's, so that its published weights fit.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.nets.blocks import DenseBlock, Transition
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck


class DenseNet(nn.Module):
    """What the 121- and 169-layer nets share: pictures [N, channels, H, W] to logits [N, classes].

    A 7×7 convolution and a max pooling bring the sides to a quarter, then four dense blocks with growth 32, between
    them transitions that halve sides and channels, then the mean over all places. Any size from 32×32 on (29 is the
    least that leaves a place); the paper's is 224×224. `dropout` acts on what each dense layer adds.
    """

    heads = ("classifier",)
    blocks: Sequence[int]

    def __init__(self, classes: int = 1000, channels: int = 3, dropout: float = 0.0, init: Init = DEFAULT) -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.dropout = check.fraction("dropout", dropout)
        self.init = init_option(check, init)
        check.done()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(self.channels, 64, 7, stride=2, padding=3, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(64))
        self.features.add_module("relu0", nn.ReLU())
        self.features.add_module("pool0", nn.MaxPool2d(3, stride=2, padding=1))
        width = _add_blocks(self.features, 64, self.blocks, 32, self.dropout)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, self.classes)
        _first_weights(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.features(x)).flatten(1))


class DenseNet121(DenseNet):
    """Blocks of 6, 12, 24 and 16 layers, 7,978,856 parameters for 1,000 classes of RGB pictures; see `DenseNet`.

    >>> import torch
    >>> DenseNet121(classes=10)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 10])
    """

    blocks = (6, 12, 24, 16)


class DenseNet169(DenseNet):
    """Blocks of 6, 12, 32 and 32 layers, 14,149,480 parameters for 1,000 classes of RGB pictures; see `DenseNet`."""

    blocks = (6, 12, 32, 32)


class SmallDenseNet(nn.Module):
    """The paper's net for CIFAR-10 (section 4.2): pictures [N, channels, H, W] to logits [N, classes].

    A 3×3 convolution to 2·growth channels without pooling, then three dense blocks of n layers with transitions
    between them: depth = 6n + 4. Pictures of 28×28, 32×32 or any size from 8×8 on. `dropout` acts on what each dense
    layer adds. 175,690 parameters with one channel and ten classes. Raises UserError for options that do not fit.

    >>> import torch
    >>> SmallDenseNet(depth=10)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    heads = ("classifier",)

    def __init__(
        self,
        classes: int = 10,
        channels: int = 1,
        depth: int = 40,
        growth: int = 12,
        dropout: float = 0.0,
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.depth = check.layers("depth", depth)
        if self.depth % 6 != 4 or self.depth < 10:
            check.refuse("depth", depth, Fault("nets.wanted-dense-depth"))
        self.growth = check.count("growth", growth)
        self.dropout = check.fraction("dropout", dropout)
        self.init = init_option(check, init)
        check.done()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(self.channels, 2 * self.growth, 3, padding=1, bias=False))
        blocks = [(self.depth - 4) // 6] * 3
        width = _add_blocks(self.features, 2 * self.growth, blocks, self.growth, self.dropout)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, self.classes)
        _first_weights(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.features(x)).flatten(1))


def _add_blocks(features: nn.Sequential, width: int, blocks: Sequence[int], growth: int, dropout: float) -> int:
    """Put dense blocks and the transitions between them behind `features`; the number of channels that come out."""
    for number, layers in enumerate(blocks, start=1):
        features.add_module(f"denseblock{number}", DenseBlock(width, layers, growth, dropout))
        width += layers * growth
        if number < len(blocks):
            features.add_module(f"transition{number}", Transition(width, width // 2))
            width //= 2
    features.add_module("norm5", nn.BatchNorm2d(width))
    features.add_module("relu5", nn.ReLU())
    return width


def _first_weights(net: nn.Module, init: Init) -> None:
    """As published: convolutions after He et al. by inputs, no bias in the last layer yet; or what `init` says."""
    if init != DEFAULT:
        initialise(net, init)
        return
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
