"""Residual blocks: what a stack of layers computes is added to what goes in.

He et al. 2015, https://arxiv.org/abs/1512.03385. With `shortcut=False` each block is its plain twin: the same layers
without the sum, and so without the projection.
"""

from torch import Tensor, nn


class Residual(nn.Module):
    """Any `body` with a shortcut over it: x to body(x) + shortcut(x), the shortcut being the identity by default.

    >>> import torch
    >>> Residual(nn.Linear(4, 4))(torch.zeros(2, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions: [N, in_channels, H, W] to [N, width, H/stride, W/stride] (figure 5 of the paper, left).

    Where the shape changes, the shortcut is a projection: a 1×1 convolution with normalisation (option B).

    >>> import torch
    >>> BasicBlock(64, 128, stride=2)(torch.zeros(2, 64, 28, 28)).shape
    torch.Size([2, 128, 14, 14])
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int = 1, shortcut: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.shortcut = shortcut
        self.downsample = _projection(in_channels, width, stride) if shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.shortcut:
            y = y + (x if self.downsample is None else self.downsample(x))
        return self.relu2(y)


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions: [N, in_channels, H, W] to [N, 4·width, H/stride, W/stride] (figure 5, right).

    The stride is that of the 3×3 convolution, as in torchvision; in the paper it is that of the first.

    >>> import torch
    >>> Bottleneck(64, 64)(torch.zeros(2, 64, 28, 28)).shape
    torch.Size([2, 256, 28, 28])
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int = 1, shortcut: bool = True) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu3 = nn.ReLU()
        self.shortcut = shortcut
        self.downsample = _projection(in_channels, out_channels, stride) if shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        if self.shortcut:
            y = y + (x if self.downsample is None else self.downsample(x))
        return self.relu3(y)


def _projection(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """The shortcut where it cannot be the identity, else None."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
    )
