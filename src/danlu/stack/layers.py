"""Layers of K members in one: every weight is [K, …], samples lie member after member along the batch axis.

A layer takes [K·N, …] and gives [K·N, …], so that whatever a net's own forward does between its layers (flatten, sums,
joins along the channels, pooling) goes on unchanged. What lies before the first layer with weights is the same for all
members of a group and comes as [G·N, …].
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.stack.layout import Layout
from danlu.stack.masks import Masks


@dataclass(eq=False)
class Surroundings:
    """What the layers of a stack have to know of the running forward pass."""

    layout: Layout
    samples: int = 0  # N
    masks: Masks | None = None  # None: nothing is dropped
    channels_last: bool = False  # how the members alone would hold maps in memory
    ties: dict[int, nn.Parameter] = field(default_factory=dict[int, nn.Parameter])

    def is_shared(self, x: Tensor) -> bool:
        """Whether `x` has one row a sample of a group, not of a member."""
        layout = self.layout
        return x.shape[0] == layout.groups * self.samples and layout.groups != layout.members

    def own(self, x: Tensor) -> Tensor:
        """`x` as [K·N, …], member after member."""
        return self.layout.spread(x.unflatten(0, (self.layout.groups, -1))).flatten(0, 1) if self.is_shared(x) else x

    def stacked(self, parameters: Sequence[nn.Parameter | None]) -> nn.Parameter | None:
        """One parameter [K, …] of the members' own; tied ones stay one."""
        first = parameters[0]
        if first is None:
            return None
        if id(first) not in self.ties:
            values = side_by_side([cast(Tensor, parameter).detach() for parameter in parameters], self.channels_last)
            self.ties[id(first)] = nn.Parameter(values, requires_grad=first.requires_grad)
        return self.ties[id(first)]


def side_by_side(tensors: Sequence[Tensor], channels_last: bool) -> Tensor:
    """Tensors of one shape as [K, …]; with `channels_last` filters [D, C, H, W] lie in memory as [K, D, H, W, C]."""
    if channels_last and tensors[0].dim() == 4:
        return torch.stack([tensor.movedim(1, -1) for tensor in tensors]).movedim(-1, 2)
    return torch.stack(list(tensors))


class StackedLayer(nn.Module):
    """What all stacked layers have in common; `name` attributes of the original stay reachable on `like`."""

    def __init__(self, layers: Sequence[nn.Module], around: Surroundings) -> None:
        super().__init__()
        self.around = around
        self._like = [layers[0]]  # in a list, so that its weights are not this module's
        for name in layers[0]._parameters:
            self.register_parameter(name, around.stacked([layer._parameters[name] for layer in layers]))
        for name, buffer in layers[0]._buffers.items():
            persistent = name not in layers[0]._non_persistent_buffers_set
            stacked = None if buffer is None else torch.stack([layer.get_buffer(name) for layer in layers])
            self.register_buffer(name, stacked, persistent=persistent)

    @property
    def like(self) -> Any:
        return self._like[0]

    @property
    def members(self) -> int:
        return self.around.layout.members

    def apart(self, x: Tensor) -> Tensor:
        """[K·N, …] as [K, N, …]."""
        return x.unflatten(0, (self.members, -1))

    def channels_beside(self, x: Tensor) -> Tensor:
        """[K·N, C, …] as [N, K·C, …], in the order of memory that suits the net."""
        if self.around.channels_last and x.dim() == 4:
            by_sample = x.movedim(1, -1).unflatten(0, (self.members, -1)).transpose(0, 1)
            return by_sample.movedim(1, -2).flatten(-2).movedim(-1, 1)
        return self.apart(x).transpose(0, 1).flatten(1, 2)

    def members_apart(self, y: Tensor, members: int) -> Tensor:
        """[N, K·C, …] as [K·N, C, …], the way back."""
        if self.around.channels_last and y.dim() == 4:
            return y.movedim(1, -1).unflatten(-1, (members, -1)).movedim(-2, 0).flatten(0, 1).movedim(-1, 1)
        return y.unflatten(1, (members, -1)).transpose(0, 1).flatten(0, 1)


class Linear(StackedLayer):
    """x W^T + b for every member: [K·N, …, in] to [K·N, …, out]."""

    weight: Tensor
    bias: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        if self.members == 1:
            return F.linear(x, self.weight[0], None if self.bias is None else self.bias[0])
        x = self.around.own(x)
        rows = x.reshape(self.members, -1, x.shape[-1])
        if self.bias is None:
            y = torch.bmm(rows, self.weight.mT)
        else:
            y = torch.baddbmm(self.bias[:, None], rows, self.weight.mT)
        return y.view(*x.shape[:-1], -1)


class LayerNorm(StackedLayer):
    """Over the last axes of each sample, then every member's own scale and shift."""

    weight: Tensor | None
    bias: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        shape = self.like.normalized_shape
        y = F.layer_norm(x, shape, None, None, self.like.eps)
        if self.weight is None:
            return y
        y = self.apart(self.around.own(y))
        between = (1,) * (y.dim() - 1 - len(shape))
        y = y * self.weight.unflatten(0, (-1, *between))
        if self.bias is not None:
            y = y + self.bias.unflatten(0, (-1, *between))
        return y.flatten(0, 1)


class GroupNorm(StackedLayer):
    """Over groups of channels of each sample, then every member's own scale and shift by channel."""

    weight: Tensor | None
    bias: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        y = F.group_norm(x, self.like.num_groups, None, None, self.like.eps)
        if self.weight is None or self.bias is None:
            return y
        y = self.apart(self.around.own(y))
        by_channel = (self.members, 1, -1, *[1] * (y.dim() - 3))
        return torch.addcmul(self.bias.view(by_channel), y, self.weight.view(by_channel)).flatten(0, 1)


class Embedding(StackedLayer):
    """Rows of every member's own table: int64 [K·N, …] to [K·N, …, D]."""

    weight: Tensor

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.apart(self.around.own(tokens))
        size = self.weight.shape[1]
        start = torch.arange(self.members, device=tokens.device).mul_(size)
        places = tokens + start.view(-1, *[1] * (tokens.dim() - 1))
        y = F.embedding(places, self.weight.flatten(0, 1))
        padding = self.like.padding_idx
        if padding is not None:  # its row gets no gradient
            y = torch.where((tokens == padding % size)[..., None], y.detach(), y)
        return y.flatten(0, 1)


class PReLU(StackedLayer):
    """max(0, x) + a·min(0, x) with every member's own a, one or one a channel."""

    weight: Tensor

    def forward(self, x: Tensor) -> Tensor:
        x = self.apart(self.around.own(x))
        slope = self.weight.view(self.members, 1, -1, *[1] * (x.dim() - 3))
        return torch.where(x > 0, x, x * slope).flatten(0, 1)


class Dropout(StackedLayer):
    """Every member's own masks at its own rate; `place` is the number of this layer in the net."""

    def __init__(self, layers: Sequence[nn.Module], around: Surroundings, place: int) -> None:
        super().__init__(layers, around)
        self._place = place
        self._channels_only = isinstance(layers[0], nn.Dropout1d | nn.Dropout2d | nn.Dropout3d)

    def forward(self, x: Tensor) -> Tensor:
        masks = self.around.masks
        if not self.training or masks is None:
            return x
        members = self.apart(self.around.own(x))
        shape = members.shape[1:]
        if self._channels_only:
            shape = (*shape[:2], *[1] * (len(shape) - 2))
        noise = masks.at(self._place, shape)
        return x if noise is None else (members * noise).flatten(0, 1)
