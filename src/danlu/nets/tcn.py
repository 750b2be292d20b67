"""The temporal convolutional network: dilated convolutions that look back only, in residual blocks."""

import math

from torch import Tensor, nn

from danlu.nets.blocks import ACTIVATIONS, WINDOW_SHORTCUTS, Residual, window_shortcut
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck

_CONVOLUTIONS = 2  # of a block
_MOST_LEVELS = 20


class TCN(nn.Module):
    """Windows of numbers [N, window, features] to outputs [N, outputs], from what the last block says of the last step
    (Bai, Kolter and Koltun 2018, https://arxiv.org/abs/1803.01271, without their weight normalisation).

    Each of `levels` blocks has two causal convolutions of `kernel` steps, `width` wide, with activation and `dropout`
    behind each, and a shortcut over both. From level to level they look twice as far apart; without a number there are
    as many as let the last step see the whole window. With the `shortcut` "last" the first feature's value at the last
    step is added to each output, with "linear" a weighted sum of the whole window. Raises UserError for options that do
    not fit.

    >>> import torch
    >>> net = TCN(window=14, features=3, outputs=2)
    >>> net.levels, net(torch.zeros(5, 14, 3)).shape
    (3, torch.Size([5, 2]))
    """

    def __init__(
        self,
        window: int = 14,
        features: int = 1,
        outputs: int = 1,
        width: int = 32,
        kernel: int = 3,
        levels: int | None = None,
        activation: str = "relu",
        dropout: float = 0.2,
        shortcut: str = "none",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.window = check.count("window", window)
        self.features = check.count("features", features)
        self.outputs = check.count("outputs", outputs)
        self.width = check.count("width", width)
        self.kernel = check.count("kernel", kernel, least=2)
        usual = levels_for(self.window, self.kernel)
        self.levels = usual if levels is None else check.count("levels", levels, most=_MOST_LEVELS)
        self.activation = check.choice("activation", activation, ACTIVATIONS)
        self.dropout = check.fraction("dropout", dropout)
        self.shortcut = check.choice("shortcut", shortcut, WINDOW_SHORTCUTS)
        self.init = init_option(check, init)
        check.done()
        blocks = (self._block(self.width if level else self.features, 2**level) for level in range(self.levels))
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.Linear(self.width, self.outputs)
        self.past = window_shortcut(self.shortcut, self.window, self.features, self.outputs)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        steps = self.blocks(x.transpose(1, 2))
        said = self.output(steps[:, :, -1])
        return said if self.past is None else said + self.past(x)

    def _block(self, given: int, dilation: int) -> nn.Module:
        layers: list[nn.Module] = []
        for number in range(_CONVOLUTIONS):
            layers += [
                nn.ConstantPad1d(((self.kernel - 1) * dilation, 0), 0.0),
                nn.Conv1d(self.width if number else given, self.width, self.kernel, dilation=dilation),
                ACTIVATIONS[self.activation](),
            ]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
        shortcut = None if given == self.width else nn.Conv1d(given, self.width, 1)
        return nn.Sequential(Residual(nn.Sequential(*layers), shortcut), ACTIVATIONS[self.activation]())


def levels_for(window: int, kernel: int) -> int:
    """How many levels let the last step see a whole window: each adds twice what the one below it added.

    >>> levels_for(14, 3), levels_for(1, 3)
    (3, 1)
    """
    return max(1, math.ceil(math.log2((window - 1) / (_CONVOLUTIONS * (kernel - 1)) + 1)))
