"""Inception modules: several filter sizes side by side, their maps joined along the channels."""

import torch
from torch import Tensor, nn

from danlu.nets.blocks.convolution import ConvNormActivation

_EPS = 0.001  # of the published weights' batch normalisation
_AUXILIARY_SIDE = 4


class Inception(nn.Module):
    """GoogLeNet's module: [N, in_channels, H, W] to [N, one + three + five + pool, H, W].

    Four branches: 1×1; 1×1 down to `three_reduced` channels, then 3×3; 1×1 down to `five_reduced`, then the paper's
    5×5; 3×3 max pooling, then 1×1 (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842, figure 2b). As in torchvision,
    whose published weights have that shape, every convolution carries batch normalisation and the "5×5" is a 3×3
    unless `five_kernel=5`.

    >>> Inception(192, 64, 96, 128, 16, 32, 32)(torch.zeros(2, 192, 14, 14)).shape
    torch.Size([2, 256, 14, 14])
    """

    def __init__(
        self,
        in_channels: int,
        one: int,
        three_reduced: int,
        three: int,
        five_reduced: int,
        five: int,
        pool: int,
        five_kernel: int = 3,
    ) -> None:
        super().__init__()
        self.branch1 = ConvNormActivation(in_channels, one, 1, eps=_EPS)
        self.branch2 = nn.Sequential(
            ConvNormActivation(in_channels, three_reduced, 1, eps=_EPS),
            ConvNormActivation(three_reduced, three, 3, eps=_EPS),
        )
        self.branch3 = nn.Sequential(
            ConvNormActivation(in_channels, five_reduced, 1, eps=_EPS),
            ConvNormActivation(five_reduced, five, five_kernel, eps=_EPS),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), ConvNormActivation(in_channels, pool, 1, eps=_EPS)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class InceptionHead(nn.Module):
    """GoogLeNet's auxiliary classifier on maps inside the net: [N, in_channels, H, W] to logits [N, classes].

    Average pooling to 4×4, 1×1 convolution to 128 channels, 1,024 hidden units, 70 % dropout (section 5 of the paper).

    >>> InceptionHead(512, classes=10)(torch.zeros(2, 512, 14, 14)).shape
    torch.Size([2, 10])
    """

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(_AUXILIARY_SIDE)
        self.conv = ConvNormActivation(in_channels, 128, 1, eps=_EPS)
        self.fc1 = nn.Linear(128 * _AUXILIARY_SIDE**2, 1024)
        self.relu = nn.ReLU()
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.pool(x)).flatten(1)
        return self.fc2(self.drop(self.relu(self.fc1(x))))


class CourseInception(nn.Module):
    """The small module of the course "PyTorch 深度学习实践", lecture 11: [N, in_channels, H, W] to [N, 88, H, W].

    Branches of 16 (1×1), 24 (1×1, 5×5), 24 (1×1, 3×3, 3×3) and 24 channels (3×3 average pooling, 1×1), without
    normalisation and without activations between them.

    >>> CourseInception(10)(torch.zeros(2, 10, 12, 12)).shape
    torch.Size([2, 88, 12, 12])
    """

    out_channels = 16 + 24 + 24 + 24

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch1x1 = nn.Conv2d(in_channels, 16, 1)
        self.branch5x5 = nn.Sequential(nn.Conv2d(in_channels, 16, 1), nn.Conv2d(16, 24, 5, padding=2))
        self.branch3x3 = nn.Sequential(
            nn.Conv2d(in_channels, 16, 1), nn.Conv2d(16, 24, 3, padding=1), nn.Conv2d(24, 24, 3, padding=1)
        )
        self.branch_pool = nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), nn.Conv2d(in_channels, 24, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1x1(x), self.branch5x5(x), self.branch3x3(x), self.branch_pool(x)], dim=1)
