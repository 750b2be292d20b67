"""A net of K members, whatever way it is computed: what the step needs of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from danlu.stack.layout import Layout
from danlu.stack.masks import Masks, Rates


class StackedNet(ABC):
    """Parameters and buffers [K, …] by the names they have in one member's net; tied ones have one name.

    `rates` holds every member's dropout rates, in the order in which `masks` are asked for them.
    """

    layout: Layout
    parameters: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor]
    frozen: frozenset[str]  # parameters that are not trained
    rates: list[Rates]
    names: dict[str, str]  # of a `state_dict`, each to that of its tensor

    @abstractmethod
    def forward(self, inputs: Tensor, masks: Masks | None, *, training: bool) -> Tensor:
        """Inputs [G, N, …] of the groups to outputs [K, C, N] of the members."""

    @abstractmethod
    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        """From the gradient with respect to the last outputs [K, C, N] to those of `trained`."""

    def select(self, keep: Tensor, layout: Layout) -> None:
        """Go on with the members `keep` alone."""
        for tensor in (*self.parameters.values(), *self.buffers.values()):
            tensor.data = rows_of(tensor.data, keep)
            tensor.grad = None
        self.rates = [self.rates[member] for member in keep.tolist()]
        self.layout = layout

    @property
    def trained(self) -> list[Tensor]:
        return [parameter for name, parameter in self.parameters.items() if name not in self.frozen]

    def tensors(self) -> dict[str, Tensor]:
        """Parameters and buffers as they stand, [K, …] by name; not copies."""
        return {name: tensor.detach() for name, tensor in (*self.parameters.items(), *self.buffers.items())}

    def member(self, member: int) -> dict[str, Tensor]:
        """The weights of one member, under all the names of its `state_dict`; copies."""
        tensors = self.tensors()
        return {name: tensors[own][member].clone() for name, own in self.names.items()}


def rows_of(tensor: Tensor, keep: Tensor) -> Tensor:
    """The rows `keep` of a tensor, which lie in memory as they did."""
    return torch.index_select(tensor, 0, keep, out=torch.empty_like(tensor[: len(keep)]))


def is_channels_last(net: nn.Module) -> bool:
    """Whether the filters of a net lie in memory with their channels last; maps then do, too.

    >>> net = nn.Conv2d(2, 3, 5)
    >>> is_channels_last(net), is_channels_last(net.to(memory_format=torch.channels_last))
    (False, True)
    """
    filters = [parameter for parameter in net.parameters() if parameter.dim() == 4]
    return any(not entry.is_contiguous() and entry.stride(1) == 1 for entry in filters)


def names_of(net: nn.Module) -> dict[str, str]:
    """For every name of a `state_dict` the name under which `named_parameters` or `named_buffers` has that tensor.

    >>> net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    >>> net[1].weight = net[0].weight
    >>> names_of(net)
    {'0.weight': '0.weight', '1.weight': '0.weight'}
    """
    first = {id(tensor): name for name, tensor in (*net.named_parameters(), *net.named_buffers())}
    return {name: first[id(tensor)] for name, tensor in net.state_dict(keep_vars=True).items()}
