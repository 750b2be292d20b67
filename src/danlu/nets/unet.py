"""A small U-Net: a class for every pixel of a picture."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.nets.blocks import MAP_NORMS, ConvNormActivation
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck

_MOST_DEPTH = 8


class UNet(nn.Module):
    """Pictures [N, channels, H, W] of any sides to logits [N, classes, H, W]: Ronneberger et al. 2015,
    https://arxiv.org/abs/1505.04597, in small.

    `depth` times two 3×3 convolutions and a pooling that halves the sides and doubles the channels, from `width` on;
    then back up as often, each time with what was there at the same size on the way down beside it. The sides stay as
    they are, where the paper's convolutions cut them: a picture whose sides do not halve so often is padded with zeros
    inside, and cut to its size again. `norm` ("batch", "layer", "none") stands behind each convolution; `init` draws
    the first weights. Raises UserError for options that do not fit.

    >>> UNet(classes=3)(torch.zeros(2, 1, 21, 30)).shape
    torch.Size([2, 3, 21, 30])
    """

    def __init__(
        self,
        classes: int = 2,
        channels: int = 1,
        width: int = 16,
        depth: int = 3,
        norm: str = "batch",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.width = check.count("width", width, most=4096)
        self.depth = check.count("depth", depth, most=_MOST_DEPTH)
        self.norm = check.choice("norm", norm, MAP_NORMS)
        self.init = init_option(check, init)
        check.done()
        widths = [self.width * 2**level for level in range(self.depth + 1)]
        self.down = nn.ModuleList(
            self._twice(before, after) for before, after in zip([self.channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * after, after, kernel_size=2, stride=2) for after in reversed(widths[:-1])
        )
        self.join = nn.ModuleList(self._twice(2 * after, after) for after in reversed(widths[:-1]))
        self.output = nn.Conv2d(self.width, self.classes, kernel_size=1)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        # Two pixels at the bottom at least: batch normalisation wants more than one number.
        tall, wide = (max(2, -(-side // 2**self.depth)) * 2**self.depth for side in (height, width))
        x = F.pad(x, (0, wide - width, 0, tall - height))
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            kept.append(x)
        for up, join, beside in zip(self.up, self.join, reversed(kept[:-1]), strict=True):
            x = join(torch.cat([beside, up(x)], 1))
        return self.output(x)[..., :height, :width]

    def _twice(self, before: int, after: int) -> nn.Sequential:
        return nn.Sequential(
            ConvNormActivation(before, after, kernel_size=3, norm=self.norm),
            ConvNormActivation(after, after, kernel_size=3, norm=self.norm),
        )
