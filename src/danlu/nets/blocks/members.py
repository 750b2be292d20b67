"""What TabM is made of: features laid out in waves, and layers of which each member has its own."""

import math

import torch
from torch import Tensor, nn

_SPEED = 0.1
"""The spread of the waves' first speeds, in periods for each deviation of the feature (Holzmüller et al. 2024)."""


class Waves(nn.Module):
    """Each number beside what a few waves make of it, learnt for each feature: [N, F] to [N, F·(1 + width)].

    cos(2π·v·x + b), then a linear layer and ReLU: the periodic embedding of Gorishniy et al. 2022
    (https://arxiv.org/abs/2203.05556) with the phases, and the number itself, of Holzmüller et al. 2024
    (https://arxiv.org/abs/2407.04491). A net that is to bend sharply along a feature needs no more depth for it.

    >>> Waves(features=3, width=8)(torch.zeros(5, 3)).shape
    torch.Size([5, 27])
    """

    def __init__(self, features: int, width: int, waves: int = 16) -> None:
        super().__init__()
        bound = 1 / math.sqrt(waves)
        self.speeds = nn.Parameter(torch.empty(features, waves).normal_(std=_SPEED))
        self.phases = nn.Parameter(torch.empty(features, waves).uniform_(-math.pi, math.pi))
        self.weight = nn.Parameter(torch.empty(features, waves, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(features, width).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        waves = torch.cos(2 * math.pi * x[..., None] * self.speeds + self.phases)
        mixed = torch.einsum("nfw,fwo->nfo", waves, self.weight) + self.bias
        return torch.cat([x[..., None], mixed.relu()], -1).flatten(1)


class MemberLinear(nn.Module):
    """A linear layer of its own for each member: [N, members, inputs] to [N, members, outputs].

    >>> MemberLinear(4, 8, 3)(torch.zeros(5, 4, 8)).shape
    torch.Size([5, 4, 3])
    """

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nmi,mio->nmo", x, self.weight) + self.bias
