"""A stack of any net by torch.func.vmap: for layers of which no stacked form is known, such as recurrent cells."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.overrides import TorchFunctionMode

from danlu.stack.exchange import DROPOUTS, Modules, exchanged, rates_of
from danlu.stack.layout import Layout
from danlu.stack.masks import Masks
from danlu.stack.nets import StackedNet, names_of


class MappedNet(StackedNet):
    """The forward of the first net, mapped over the weights of all.

    Under vmap a net sees one member: shapes are as in a model alone. Dropout is put in from outside, because vmap's own
    would depend on the number of members.
    """

    def __init__(self, nets: Sequence[nn.Module], layout: Layout) -> None:
        self._dropping = _Dropping()
        self._dropouts: list[Modules] = []
        self._net = exchanged(nets, self._exchange)
        self.layout = layout
        self.parameters = {
            name: torch.stack([net.get_parameter(name).detach() for net in nets]).requires_grad_(first.requires_grad)
            for name, first in nets[0].named_parameters()
        }
        self.buffers = {
            name: torch.stack([net.get_buffer(name) for net in nets]) for name, _ in nets[0].named_buffers()
        }
        self.frozen = frozenset(name for name, parameter in self.parameters.items() if not parameter.requires_grad)
        self.names = names_of(nets[0])
        self.rates = [rates_of(self._dropouts, member) for member in range(len(nets))]
        self._outputs = torch.empty(0)

    def _exchange(self, modules: Modules) -> nn.Module | None:
        if type(modules[0]) not in DROPOUTS:
            return None
        self._dropouts.append(modules)
        return _MappedDropout(self._dropping, len(self._dropouts) - 1, type(modules[0]) is not nn.Dropout)

    def forward(self, inputs: Tensor, masks: Masks | None, *, training: bool) -> Tensor:
        self._net.train(training)
        self._dropping.masks = masks

        def alone(weights: dict[str, Tensor], buffers: dict[str, Tensor], member: Tensor, samples: Tensor) -> Tensor:
            self._dropping.member = member
            return functional_call(self._net, (weights, buffers), (samples,))

        members = torch.arange(self.layout.members, device=inputs.device)
        with self._dropping, torch.set_grad_enabled(training):
            # "same": masks are drawn inside, for all members at once.
            mapped = vmap(alone, randomness="same")
            outputs = mapped(dict(self.parameters), dict(self.buffers), members, self.layout.spread(inputs))
        self._outputs = outputs
        return outputs.detach().flatten(2).mT if outputs.dim() > 2 else outputs.detach()[:, None]

    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        trained = self.trained
        for parameter in trained:
            parameter.grad = None
        self._outputs.backward(gradient.mT.reshape(self._outputs.shape))
        self._outputs = torch.empty(0)
        return [torch.zeros_like(parameter) if parameter.grad is None else parameter.grad for parameter in trained]


class _Dropping(TorchFunctionMode):
    """Puts the members' own masks where a net calls F.dropout itself."""

    def __init__(self) -> None:
        super().__init__()
        self.masks: Masks | None = None
        self.member = torch.empty(0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.dropout:
            return self._dropped(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _dropped(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if not training or self.masks is None:
            return input
        return self.times(input, self.masks.everywhere(p, input.shape))

    def times(self, x: Tensor, noise: Tensor | None) -> Tensor:
        """`x` of the member being mapped times its share of the noise [K, …]."""
        return x if noise is None else x * noise.index_select(0, self.member.view(1)).squeeze(0)


class _MappedDropout(nn.Module):
    def __init__(self, dropping: _Dropping, place: int, channels_only: bool) -> None:
        super().__init__()
        self._dropping, self._place, self._channels_only = dropping, place, channels_only

    def forward(self, x: Tensor) -> Tensor:
        masks = self._dropping.masks
        if not self.training or masks is None:
            return x
        shape = (*x.shape[:2], *[1] * (x.dim() - 2)) if self._channels_only else x.shape
        return self._dropping.times(x, masks.at(self._place, shape))
