"""Dense blocks: each layer sees the maps of all layers before it.

Huang et al. 2016, https://arxiv.org/abs/1608.06993; with bottlenecks and compression (DenseNet-BC).
"""

import torch
from torch import Tensor, nn


class DenseLayer(nn.Module):
    """Normalise, activate, 1×1 to 4·growth channels; again, 3×3 to growth: [N, in_channels, H, W] to [N, growth, H, W].

    >>> DenseLayer(64, growth=32)(torch.zeros(2, 64, 14, 14)).shape
    torch.Size([2, 32, 14, 14])
    """

    def __init__(self, in_channels: int, growth: int, dropout: float = 0.0) -> None:
        super().__init__()
        inner = 4 * growth
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(inner)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(inner, growth, 3, padding=1, bias=False)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(self.relu1(self.norm1(x)))
        return self.drop(self.conv2(self.relu2(self.norm2(x))))


class DenseBlock(nn.Module):
    """`layers` dense layers: [N, in_channels, H, W] to [N, in_channels + layers·growth, H, W].

    >>> DenseBlock(64, layers=6, growth=32)(torch.zeros(2, 64, 14, 14)).shape
    torch.Size([2, 256, 14, 14])
    """

    def __init__(self, in_channels: int, layers: int, growth: int, dropout: float = 0.0) -> None:
        super().__init__()
        for number in range(layers):
            layer = DenseLayer(in_channels + number * growth, growth, dropout)
            self.add_module(f"denselayer{number + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(nn.Module):
    """Between two dense blocks: fewer channels (1×1) and half the sides: [N, in, H, W] to [N, out, H/2, W/2].

    >>> Transition(256, 128)(torch.zeros(2, 256, 14, 14)).shape
    torch.Size([2, 128, 7, 7])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.conv(self.relu(self.norm(x))))
