"""A convolution, a normalisation and an activation: the brick of most nets for pictures."""

from torch import Tensor, nn

from danlu.nets.blocks.elementary import ACTIVATIONS, MAP_NORMS


class ConvNormActivation(nn.Module):
    """Convolution, normalisation, activation: [N, in_channels, H, W] to [N, out_channels, H/stride, W/stride].

    The padding keeps the sides where the stride is 1. The convolution has a bias only where no normalisation follows,
    whose own shift would cancel it (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167, section 3.2).
    `eps` is what batch normalisation adds to the variance.

    >>> import torch
    >>> ConvNormActivation(3, 8, kernel_size=5, stride=2)(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 8, 14, 14])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        norm: str = "batch",
        activation: str = "relu",
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=norm == "none"
        )
        self.bn = MAP_NORMS[norm](out_channels)
        if isinstance(self.bn, nn.BatchNorm2d):
            self.bn.eps = eps
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.bn(self.conv(x)))
