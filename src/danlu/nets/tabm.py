"""TabM: many multilayer perceptrons that share their weights, for tables."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from danlu.nets.blocks.members import MemberLinear, Waves
from danlu.nets.blocks.quantiles import Quantiles
from danlu.nets.options import OptionCheck

_CLIP = 3.0
"""Numbers beyond so many deviations are drawn in (Holzmüller et al. 2024)."""
# Few inputs are worth bending along. Of many, most are a category's values, 0 and 1, or rows are too few to learn waves
# for each; and they take most of the time.
_EMBEDDING, _FEW_INPUTS = 8, 16
_LAID_OUT = 64  # inputs up to which each goes by its quantiles; of more, most are a category's values or pixels


class MemberOutputs(NamedTuple):
    """What the members say of N samples while they learn: their mean [N, outputs], and each [N, members, outputs]."""

    mean: Tensor
    members: Tensor

    def loss(self, loss: Callable[[Tensor, Tensor], Tensor], targets: Tensor) -> Tensor:
        """The mean of the members' losses: each learns for itself."""
        reduction = loss.keywords.get("reduction") if isinstance(loss, functools.partial) else None
        if reduction is None:
            return torch.stack([loss(member, targets) for member in self.members.unbind(1)]).mean()
        # A mean or a sum over samples: all members' samples at once, in one call.
        count = self.members.shape[1]
        total = loss(self.members.flatten(0, 1), targets.repeat_interleave(count, 0))
        return total / count if reduction == "sum" else total


class TabM(nn.Module):
    """Rows of standardised numbers, [N, …] flattened to [N, inputs], to outputs [N, outputs].

    TabM-mini of Gorishniy et al. 2025 (https://arxiv.org/abs/2410.24210): `members` perceptrons of `depth` hidden
    layers of `width`, which have their weights in common but for the signs with which each first multiplies its inputs,
    and for the last layer. Each learns by a loss of its own: in training mode the result is a `MemberOutputs`. In
    evaluation mode it is the mean of what they say. Of up to 64 inputs each goes by where it stands among those of the
    training part (see `Quantiles`). Far-off numbers are drawn in, x/√(1 + (x/3)²), and each feature is laid out in
    `embedding` further ones (see `Waves`; 0: none; where nothing is said 8, and none of more than 16 inputs). Raises
    UserError for options that do not fit.

    >>> net = TabM(inputs=4, outputs=3)
    >>> net(torch.zeros(5, 4)).members.shape, net.eval()(torch.zeros(5, 4)).shape
    (torch.Size([5, 16, 3]), torch.Size([5, 3]))
    """

    heads = ("head",)

    def __init__(
        self,
        inputs: int = 8,
        outputs: int = 1,
        members: int = 16,
        width: int = 128,
        depth: int = 3,
        embedding: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        self.outputs = check.count("outputs", outputs)
        self.members = check.count("members", members)
        self.width = check.count("width", width)
        self.depth = check.layers("depth", depth)
        usual = _EMBEDDING if self.inputs <= _FEW_INPUTS else 0
        self.embedding = usual if embedding is None else check.count("embedding", embedding, least=0)
        self.dropout = check.fraction("dropout", dropout)
        check.done()
        self.places = Quantiles(self.inputs) if self.inputs <= _LAID_OUT else nn.Identity()
        self.waves = Waves(self.inputs, self.embedding) if self.embedding else nn.Identity()
        features = self.inputs * (1 + self.embedding)
        self.signs = nn.Parameter(torch.empty(self.members, features).uniform_(-1, 1).sign())
        layers: list[nn.Module] = []
        for given in (features, *[self.width] * (self.depth - 1)):
            layers += [nn.Linear(given, self.width), nn.ReLU(), nn.Dropout(self.dropout)]
        self.layers = nn.Sequential(*layers)
        self.head = MemberLinear(self.members, self.width, self.outputs)

    def see_training_part(self, x: Tensor) -> None:
        """Take from the training part [N, …] where each feature's numbers lie, before the first step."""
        if isinstance(self.places, Quantiles):
            self.places.see_training_part(x.flatten(1))

    def forward(self, x: Tensor) -> Tensor | MemberOutputs:
        x = self.places(x.flatten(1))
        x = self.waves(x / torch.sqrt(1 + (x / _CLIP) ** 2))
        members = self.head(self.layers(x[:, None] * self.signs))
        mean = members.mean(1)
        return MemberOutputs(mean, members) if self.training else mean
