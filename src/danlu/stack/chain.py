"""A stack of multilayer perceptrons, forward and backward written out.

For a chain of linear layers, activations and dropout autograd costs more than the arithmetic. Activations are kept as
[K, features, N]: the first layer of all members that share a batch is then one matrix product, and so is its gradient;
a softmax runs along whole rows; and the gradients go straight into the momentum, which the products take as the matrix
that they are added to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

from danlu.stack.activations import ACTIVATIONS, InPlaceActivation
from danlu.stack.layout import Layout
from danlu.stack.masks import Masks
from danlu.stack.nets import StackedNet, names_of


@dataclass
class ChainLink:
    """One linear layer with what follows it; names are those in one member's net."""

    name: str
    activation: nn.Module | None = None
    dropout: str | None = None


def links_of(net: nn.Module, sample_shape: Sequence[int]) -> list[ChainLink] | None:
    """The linear layers of a net that is nothing but a chain of them, in order; None for any other net."""
    try:
        nodes = list(fx.Tracer().trace(net).nodes)
    except Exception:  # noqa: BLE001  a forward that cannot be traced is no chain, whatever stopped it
        return None
    links: list[ChainLink] = []
    flat = len(sample_shape) == 1
    previous = nodes[0]
    for node in nodes[1:]:
        if node.op == "placeholder":
            if node.users:
                return None
            continue
        if node.op == "output":
            whole = flat and node.args == (previous,) and _own_weights(links, net)
            return links if whole else None
        if node.args[:1] != (previous,) or len(node.all_input_nodes) != 1:
            return None
        if _flattens(node, net):
            flat = True
        elif node.op != "call_module" or node.kwargs or not _joins(links, str(node.target), net):
            return None
        previous = node
    return None


def _own_weights(links: list[ChainLink], net: nn.Module) -> bool:
    """Whether every link has weights of its own, and nothing else of the net has any."""
    named = {f"{link.name}.{kind}" for link in links for kind in ("weight", "bias")}
    names = {name for name, _ in net.named_parameters()}
    return names <= named and all(f"{link.name}.weight" in names for link in links) and not any(net.buffers())


def _flattens(node: fx.Node, net: nn.Module) -> bool:
    if node.op == "call_module":
        layer = net.get_submodule(str(node.target))
        return type(layer) is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1)
    named = node.target == "flatten" if node.op == "call_method" else node.target is torch.flatten
    return named and node.args[1:] == (1,) and not node.kwargs


def _joins(links: list[ChainLink], name: str, net: nn.Module) -> bool:
    """Put the layer called `name` behind the links; False where it has no place in a chain."""
    layer = net.get_submodule(name)
    if type(layer) is nn.Linear:
        links.append(ChainLink(name))
        return len({link.name for link in links}) == len(links)
    if type(layer) is nn.Identity:
        return True
    if not links or links[-1].dropout:
        return False
    if type(layer) is nn.Dropout:
        links[-1].dropout = name
        return True
    if type(layer) in ACTIVATIONS and links[-1].activation is None:
        links[-1].activation = layer
        return True
    return False


@dataclass(frozen=True)
class _Pass:
    """One link for batches of one size: the weights as the products take them, and the buffers these write to.

    All are made once: to make views of them again each step would cost as much as the arithmetic of a small net.
    """

    weight: Tensor  # [K, out, in]; of the first link [G, out of a whole group, in]
    transposed: Tensor
    shift: Tensor | None
    product: Tensor  # z as the product gives it
    z: Tensor  # [K, out, N], before the activation
    a: Tensor  # after it; may be z
    a_rows: Tensor  # [K, N, out]
    h: Tensor  # after dropout, where there is one
    h_rows: Tensor
    slope: Tensor  # the gradient with respect to h, and then z
    slope_product: Tensor  # the same as the product with what lies below takes it
    slope_rows: Tensor  # [K·out, N]
    activation: InPlaceActivation | None
    layer: nn.Module | None
    dropout: str | None

    def backward(self, slope: Tensor, noise: Tensor | None) -> None:
        """From the gradient with respect to h to that with respect to z, in place."""
        if noise is not None:
            slope.mul_(noise)
        if self.activation:
            self.activation.backward(slope, self.z, self.a, self.layer)


class ChainNet(StackedNet):
    """K chains of one structure. The buffers of the passes are kept and written to again each step."""

    def __init__(self, nets: Sequence[nn.Module], layout: Layout, links: Sequence[ChainLink]) -> None:
        self.layout = layout
        self._links = list(links)
        self.parameters = {
            name: torch.stack([net.get_parameter(name).detach() for net in nets])
            for name, _ in nets[0].named_parameters()
        }
        self.buffers = {}
        self.frozen = frozenset(name for name, parameter in nets[0].named_parameters() if not parameter.requires_grad)
        dropping = [link.dropout for link in links if link.dropout]
        self._places = {name: place for place, name in enumerate(dropping)}
        self.names = names_of(nets[0])
        self.rates = [tuple(float(cast(Any, net.get_submodule(name)).p) for name in dropping) for net in nets]
        self._passes_of: dict[int, list[_Pass]] = {}
        self._ones: dict[int, Tensor] = {}
        self._targets: tuple[Sequence[Tensor], list[tuple[Tensor | None, Tensor | None]]] = ((), [])
        self._inputs = torch.empty(0)
        self._noises: list[Tensor | None] = []

    def _passes(self, samples: int) -> list[_Pass]:
        if samples not in self._passes_of:
            self._passes_of[samples] = [self._prepared(number, samples) for number in range(len(self._links))]
            self._ones[samples] = self._passes_of[samples][0].z.new_ones(samples)
        return self._passes_of[samples]

    def _prepared(self, number: int, samples: int) -> _Pass:
        link = self._links[number]
        activation = ACTIVATIONS.get(type(link.activation)) if link.activation else None
        weight, bias = self.parameters[f"{link.name}.weight"], self.parameters.get(f"{link.name}.bias")
        z = weight.new_empty(*weight.shape[:2], samples)
        slope = torch.empty_like(z)
        a = z if activation is None or activation.in_place else torch.empty_like(z)
        h = torch.empty_like(z) if link.dropout else a
        arranged = self._arranged(number)
        shift = None if bias is None else arranged(bias[:, :, None])
        buffers = (z, a, a.mT, h, h.mT, slope, arranged(slope), slope.view(-1, samples))
        arranged_weight = arranged(weight)
        views = (arranged_weight, arranged_weight.mT, shift, arranged(z))
        return _Pass(*views, *buffers, activation, link.activation, link.dropout)

    def _arranged(self, number: int) -> Callable[[Tensor], Tensor]:
        """How link `number` takes [K, features, …]: the first as [G, features of all members of a group, …], where
        groups are of one size."""
        groups = self.layout.groups
        if number or not self.layout.per_group:
            return lambda tensor: tensor
        return lambda tensor: tensor.view(groups, -1, *tensor.shape[2:])

    def forward(self, inputs: Tensor, masks: Masks | None, *, training: bool) -> Tensor:
        x = inputs.flatten(2) if inputs.dim() > 3 else inputs
        self._inputs = x if self.layout.per_group else self.layout.spread(x)
        self._noises = []
        below = self._inputs.mT
        for one in self._passes(x.shape[1]):
            if one.shift is None:
                torch.bmm(one.weight, below, out=one.product)
            else:
                torch.baddbmm(one.shift, one.weight, below, out=one.product)
            if one.activation:
                one.activation.forward(one.z, one.a, one.layer)
            noise = self._noise(one, masks) if training and masks and one.dropout else None
            self._noises.append(noise)
            below = one.a if noise is None else torch.mul(one.a, noise, out=one.h)
        return below

    def _noise(self, one: _Pass, masks: Masks) -> Tensor | None:
        _, features, samples = one.a.shape
        noise = masks.at(self._places[str(one.dropout)], (samples, features))  # the order in which a model draws
        return None if noise is None else noise.mT.contiguous()

    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        gradients = [torch.empty_like(parameter) for parameter in self.trained]
        self.descend(gradient, gradients, 0.0)
        return gradients

    def descend(self, gradient: Tensor, into: Sequence[Tensor], keep: float) -> None:
        """t = keep · t + gradient for each tensor t of `into`, which stand for `trained`; `gradient` is written to."""
        samples = gradient.shape[2]
        passes, targets, ones = self._passes(samples), self._targets_in(into), self._ones[samples]
        last = len(passes) - 1
        for number in range(last, -1, -1):
            one = passes[number]
            slope = gradient if number == last else one.slope
            one.backward(slope, self._noises[number])
            if number:  # before the weights change, which `into` may be
                torch.bmm(one.transposed, slope, out=passes[number - 1].slope)
            weight, bias = targets[number]
            if weight is not None:
                product = self._arranged(number)(gradient) if number == last else one.slope_product
                torch.baddbmm(weight, product, self._below(passes, number), beta=keep, out=weight)
            if bias is not None:  # the sum over the samples, as a product that adds to what is there
                rows = gradient.view(-1, samples) if number == last else one.slope_rows
                torch.addmv(bias, rows, ones, beta=keep, out=bias)

    def _below(self, passes: list[_Pass], number: int) -> Tensor:
        """What went into link `number`, samples first."""
        if number == 0:
            return self._inputs
        lower = passes[number - 1]
        return lower.a_rows if self._noises[number - 1] is None else lower.h_rows

    def _targets_in(self, into: Sequence[Tensor]) -> list[tuple[Tensor | None, Tensor | None]]:
        """For each link the tensors that take the gradients of its weight and bias, in the shape of the products."""
        if self._targets[0] is not into:
            names = [name for name in self.parameters if name not in self.frozen]
            named = dict(zip(names, into, strict=True))
            targets: list[tuple[Tensor | None, Tensor | None]] = []
            for number, link in enumerate(self._links):
                weight, bias = named.get(f"{link.name}.weight"), named.get(f"{link.name}.bias")
                own = None if weight is None else self._arranged(number)(weight)
                targets.append((own, None if bias is None else bias.view(-1)))
            self._targets = (into, targets)
        return self._targets[1]

    def select(self, keep: Tensor, layout: Layout) -> None:
        super().select(keep, layout)
        self._passes_of.clear()
        self._targets = ((), [])
