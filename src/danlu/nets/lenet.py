"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf)."""

import torch.nn.functional as F
from torch import Tensor, nn

from danlu.base.errors import fail
from danlu.nets.blocks import ACTIVATIONS, POOLINGS
from danlu.nets.options import OptionCheck

_LEAST = 28
_FIELD = 32


class Field(nn.Module):
    """Pictures [N, C, H, W] in the 32×32 field of the paper: [N, C, 32, 32].

    Sides below 28 are enlarged to 28 (bilinear); the rest up to 32 is a border of zeros, which at 28×28 equals padding
    2 in the first convolution; 32×32 goes through as it is. Raises UserError for pictures above 32×32.

    >>> import torch
    >>> Field()(torch.ones(1, 1, 8, 8)).sum().item() == 28 * 28
    True
    """

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if height > _FIELD or width > _FIELD:
            fail("nets.picture-too-large", net="lenet5", size=f"{height}×{width}", largest=f"{_FIELD}×{_FIELD}")
        if height < _LEAST or width < _LEAST:
            height, width = max(height, _LEAST), max(width, _LEAST)
            x = F.interpolate(x, size=(height, width), mode="bilinear")
        if height == width == _FIELD:
            return x
        top, left = (_FIELD - height) // 2, (_FIELD - width) // 2
        return F.pad(x, (left, _FIELD - width - left, top, _FIELD - height - top))


class LeNet5(nn.Module):
    """Two convolutions with pooling, then three linear layers: pictures [N, channels, H, W] to logits [N, classes].

    The activation follows the pooling, as in the paper's S2 and S4, and so costs a quarter of what it would before it.
    Pictures may have any size up to 32×32 (see `Field`). `pooling="average"` is nearest to 1998 (which had a scaled
    tanh, pooling with trained weights and a sigmoid, sparse links between the maps, and radial basis functions at the
    end).
    61,706 parameters with one channel and ten classes.
    Raises UserError for options that do not fit.

    >>> import torch
    >>> LeNet5()(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(self, classes: int = 10, channels: int = 1, activation: str = "tanh", pooling: str = "max") -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.activation = check.choice("activation", activation, ACTIVATIONS)
        self.pooling = check.choice("pooling", pooling, POOLINGS)
        check.done()
        activate, pool = ACTIVATIONS[self.activation], POOLINGS[self.pooling]
        self.field = Field()
        self.features = nn.Sequential(
            nn.Conv2d(self.channels, 6, kernel_size=5),  # 6×28×28
            pool(2),  # 6×14×14
            activate(),
            nn.Conv2d(6, 16, kernel_size=5),  # 16×10×10
            pool(2),  # 16×5×5
            activate(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120), activate(), nn.Linear(120, 84), activate(), nn.Linear(84, self.classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(self.field(x)).flatten(1))
