"""What goes past a net on windows: its outputs are then what comes on top of a simple forecast."""

import torch
from torch import Tensor, nn

WINDOW_SHORTCUTS = ("none", "last", "linear")


class LastValue(nn.Module):
    """Windows [N, T, F] to the first feature's value at the last step, [N, 1].

    >>> LastValue()(torch.tensor([[[1.0], [2.0]]])).tolist()
    [[2.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -1, :1]


def window_shortcut(kind: str, window: int, features: int, outputs: int) -> nn.Module | None:
    """The way from windows [N, window, features] to outputs [N, outputs] that a net's own are added to; None: nothing.

    "last" is the first feature's last value; "linear" a weighted sum of the whole window, which at first is that too.
    A straight line goes on rising where a net of bounded units stays (Zeng et al. 2023,
    https://arxiv.org/abs/2205.13504).

    >>> window_shortcut("linear", 2, 1, 1)(torch.tensor([[[1.0], [2.0]]])).tolist()
    [[2.0]]
    """
    if kind == "none":
        return None
    if kind == "last":
        return LastValue()
    linear = nn.Linear(window * features, outputs)
    with torch.no_grad():
        linear.weight.zero_()
        linear.weight[:, (window - 1) * features] = 1.0
        linear.bias.zero_()
    return nn.Sequential(nn.Flatten(), linear)
