"""Residual nets (He, Zhang, Ren and Sun 2015, https://arxiv.org/abs/1512.03385), and their plain twins.

Names and shapes of parameters are torchvision's, so that its published weights fit.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.nets.blocks import BasicBlock, Bottleneck
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck


class ResNet(nn.Module):
    """What the 18-, 34-, 50- and 101-layer nets share: pictures [N, channels, H, W] to logits [N, classes].

    A 7×7 convolution and a max pooling bring the sides to a quarter, then four groups of blocks of widths 64, 128, 256
    and 512, each but the first halving them again, then the mean over all places. Any size from 32×32 on; the paper's
    is 224×224. `shortcut=False` is the plain twin: the same layers, nothing added to them.
    """

    heads = ("fc",)
    block: type[BasicBlock | Bottleneck]
    layers: Sequence[int]

    def __init__(self, classes: int = 1000, channels: int = 3, shortcut: bool = True, init: Init = DEFAULT) -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.shortcut = check.flag("shortcut", shortcut)
        self.init = init_option(check, init)
        check.done()
        self.conv1 = nn.Conv2d(self.channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _group(self.block, 64, 64, self.layers[0], 1, self.shortcut)
        self.layer2 = _group(self.block, 64 * self.block.expansion, 128, self.layers[1], 2, self.shortcut)
        self.layer3 = _group(self.block, 128 * self.block.expansion, 256, self.layers[2], 2, self.shortcut)
        self.layer4 = _group(self.block, 256 * self.block.expansion, 512, self.layers[3], 2, self.shortcut)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * self.block.expansion, self.classes)
        _first_weights(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class ResNet18(ResNet):
    """18 layers of basic blocks, 11,689,512 parameters for 1,000 classes of RGB pictures; see `ResNet`.

    >>> import torch
    >>> ResNet18(classes=10)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 10])
    """

    block, layers = BasicBlock, (2, 2, 2, 2)


class ResNet34(ResNet):
    """34 layers of basic blocks, 21,797,672 parameters for 1,000 classes of RGB pictures; see `ResNet`."""

    block, layers = BasicBlock, (3, 4, 6, 3)


class ResNet50(ResNet):
    """50 layers in bottlenecks, 25,557,032 parameters for 1,000 classes of RGB pictures; see `ResNet`."""

    block, layers = Bottleneck, (3, 4, 6, 3)


class ResNet101(ResNet):
    """101 layers in bottlenecks, 44,549,160 parameters for 1,000 classes of RGB pictures; see `ResNet`."""

    block, layers = Bottleneck, (3, 4, 23, 3)


class SmallResNet(nn.Module):
    """The paper's net for CIFAR-10 (section 4.2): pictures [N, channels, H, W] to logits [N, classes].

    A 3×3 convolution without pooling, then three groups of n basic blocks of widths 16, 32 and 64: depth = 6n + 2.
    Pictures of 28×28, 32×32 or any size from 8×8 on. Where the widths change, the shortcut is a projection, which the
    paper replaced by zeros in this net. `shortcut=False` is the plain twin. 272,186 parameters at depth 20 with one
    channel and ten classes. Raises UserError for options that do not fit.

    >>> import torch
    >>> SmallResNet(depth=8)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    heads = ("fc",)

    def __init__(
        self, classes: int = 10, channels: int = 1, depth: int = 20, shortcut: bool = True, init: Init = DEFAULT
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.depth = check.layers("depth", depth)
        if self.depth % 6 != 2 or self.depth < 8:
            check.refuse("depth", depth, Fault("nets.wanted-depth"))
        self.shortcut = check.flag("shortcut", shortcut)
        self.init = init_option(check, init)
        check.done()
        blocks = (self.depth - 2) // 6
        self.conv1 = nn.Conv2d(self.channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = _group(BasicBlock, 16, 16, blocks, 1, self.shortcut)
        self.layer2 = _group(BasicBlock, 16, 32, blocks, 2, self.shortcut)
        self.layer3 = _group(BasicBlock, 32, 64, blocks, 2, self.shortcut)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, self.classes)
        _first_weights(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


def _group(
    block: type[BasicBlock | Bottleneck], in_channels: int, width: int, number: int, stride: int, shortcut: bool
) -> nn.Sequential:
    """`number` blocks of one width, the first of which brings the stride."""
    first = block(in_channels, width, stride, shortcut)
    others = [block(width * block.expansion, width, 1, shortcut) for _ in range(number - 1)]
    return nn.Sequential(first, *others)


def _first_weights(net: nn.Module, init: Init) -> None:
    """As published: convolutions after He et al. by outputs, the last layer as torch has it; or what `init` says."""
    if init != DEFAULT:
        initialise(net, init)
        return
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
