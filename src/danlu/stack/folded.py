"""A stack that runs the net's own forward once, on the samples of all members one after the other.

Only layers with weights are exchanged for stacked ones. It serves any net whose forward treats samples one by one
outside of its layers; whether it does is tried out, not believed (see `build`).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from danlu.stack.convolution import Convolution
from danlu.stack.exchange import DROPOUTS, Modules, exchanged, rates_of
from danlu.stack.layers import Dropout, Embedding, GroupNorm, LayerNorm, Linear, PReLU, StackedLayer, Surroundings
from danlu.stack.layout import Layout
from danlu.stack.masks import Masks
from danlu.stack.nets import StackedNet, is_channels_last, names_of
from danlu.stack.normalisation import BatchNorm

_LAYERS: dict[type[nn.Module], Callable[[Sequence[nn.Module], Surroundings], StackedLayer]] = {
    nn.Linear: Linear,
    nn.Conv1d: Convolution,
    nn.Conv2d: Convolution,
    nn.Conv3d: Convolution,
    nn.BatchNorm1d: BatchNorm,
    nn.BatchNorm2d: BatchNorm,
    nn.BatchNorm3d: BatchNorm,
    nn.LayerNorm: LayerNorm,
    nn.GroupNorm: GroupNorm,
    nn.Embedding: Embedding,
    nn.PReLU: PReLU,
}


class NotFoldableError(Exception):
    """A layer has weights and no stacked form."""


class FoldedNet(StackedNet):
    """Runs the forward of the first net, its layers exchanged.

    `shares` says that the layers before the first weights see the samples of a group once, not once a member.
    """

    def __init__(self, nets: Sequence[nn.Module], layout: Layout, *, shares: bool) -> None:
        self._around = Surroundings(layout, channels_last=is_channels_last(nets[0]))
        self._shares = shares
        self._dropouts: list[Modules] = []
        self._net = exchanged(nets, self._exchange)
        self.layout = layout
        self.parameters = dict(self._net.named_parameters())
        self.buffers = dict(self._net.named_buffers())
        self.frozen = frozenset(name for name, parameter in self.parameters.items() if not parameter.requires_grad)
        self.names = names_of(nets[0])
        self.rates = [rates_of(self._dropouts, member) for member in range(len(nets))]
        self._outputs = torch.empty(0)

    def _exchange(self, modules: Modules) -> nn.Module | None:
        first = modules[0]
        if type(first) in _LAYERS:
            return _LAYERS[type(first)](modules, self._around)
        if type(first) in DROPOUTS:
            self._dropouts.append(modules)
            return Dropout(modules, self._around, len(self._dropouts) - 1)
        if [*first.parameters(recurse=False), *first.buffers(recurse=False)]:
            raise NotFoldableError(type(first).__name__)
        return None

    def forward(self, inputs: Tensor, masks: Masks | None, *, training: bool) -> Tensor:
        around = self._around
        around.samples, around.masks = inputs.shape[1], masks
        self._net.train(training)
        samples = (inputs if self._shares else self.layout.spread(inputs)).flatten(0, 1)
        if around.channels_last and samples.dim() == 4:
            samples = samples.contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(training):
            outputs = self._net(samples)
        self._outputs = outputs
        return outputs.detach().view(self.layout.members, around.samples, -1).mT

    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        trained = self.trained
        for parameter in trained:
            parameter.grad = None
        self._outputs.backward(gradient.mT.reshape(self._outputs.shape))
        self._outputs = torch.empty(0)
        return [torch.zeros_like(parameter) if parameter.grad is None else parameter.grad for parameter in trained]

    def select(self, keep: Tensor, layout: Layout) -> None:
        super().select(keep, layout)
        self._around.layout = layout
