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

from danlu.train.stack.layout import Layout
from danlu.train.stack.masks import Masks
from danlu.train.stack.nets import StackedNet

_aten: Any = torch.ops.aten


@dataclass(frozen=True)
class _Activation:
    """`forward` writes to `out`, `backward` changes a gradient in place from input and output; `in_place`: the
    backward needs the output alone."""

    forward: Callable[[Tensor, Tensor, Any], Any]
    backward: Callable[[Tensor, Tensor, Tensor, Any], Any]
    in_place: bool = True


_ACTIVATIONS: dict[type[nn.Module], _Activation] = {
    nn.ReLU: _Activation(
        lambda z, out, layer: torch.clamp_min(z, 0.0, out=out),
        lambda g, z, a, layer: _aten.threshold_backward.grad_input(g, a, 0.0, grad_input=g),
    ),
    nn.Tanh: _Activation(
        lambda z, out, layer: torch.tanh(z, out=out),
        lambda g, z, a, layer: _aten.tanh_backward.grad_input(g, a, grad_input=g),
    ),
    nn.Sigmoid: _Activation(
        lambda z, out, layer: torch.sigmoid(z, out=out),
        lambda g, z, a, layer: _aten.sigmoid_backward.grad_input(g, a, grad_input=g),
    ),
    nn.LeakyReLU: _Activation(
        lambda z, out, layer: _aten.leaky_relu.out(z, layer.negative_slope, out=out),
        lambda g, z, a, layer: _aten.leaky_relu_backward.grad_input(g, z, layer.negative_slope, False, grad_input=g),
        in_place=False,
    ),
    nn.ELU: _Activation(
        lambda z, out, layer: _aten.elu.out(z, layer.alpha, out=out),
        lambda g, z, a, layer: _aten.elu_backward.grad_input(g, layer.alpha, 1, 1, False, z, grad_input=g),
        in_place=False,
    ),
    nn.GELU: _Activation(
        lambda z, out, layer: _aten.gelu.out(z, approximate=layer.approximate, out=out),
        lambda g, z, a, layer: _aten.gelu_backward.grad_input(g, z, approximate=layer.approximate, grad_input=g),
        in_place=False,
    ),
    nn.SiLU: _Activation(
        lambda z, out, layer: _aten.silu.out(z, out=out),
        lambda g, z, a, layer: _aten.silu_backward.grad_input(g, z, grad_input=g),
        in_place=False,
    ),
}


@dataclass
class _Link:
    """One linear layer with what follows it; names are those in one member's net."""

    name: str
    activation: nn.Module | None = None
    dropout: str | None = None


def links_of(net: nn.Module, sample_shape: Sequence[int]) -> list[_Link] | None:
    """The linear layers of a net that is nothing but a chain of them, in order; None for any other net."""
    try:
        nodes = list(fx.Tracer().trace(net).nodes)
    except Exception:  # noqa: BLE001  a forward that cannot be traced is no chain, whatever stopped it
        return None
    links: list[_Link] = []
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


def _own_weights(links: list[_Link], net: nn.Module) -> bool:
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


def _joins(links: list[_Link], name: str, net: nn.Module) -> bool:
    """Put the layer called `name` behind the links; False where it has no place in a chain."""
    layer = net.get_submodule(name)
    if type(layer) is nn.Linear:
        links.append(_Link(name))
        return len({link.name for link in links}) == len(links)
    if type(layer) is nn.Identity:
        return True
    if not links or links[-1].dropout:
        return False
    if type(layer) is nn.Dropout:
        links[-1].dropout = name
        return True
    if type(layer) in _ACTIVATIONS and links[-1].activation is None:
        links[-1].activation = layer
        return True
    return False


class ChainNet(StackedNet):
    """K chains of one structure. The buffers of the passes are kept and written to again each step."""

    def __init__(self, nets: Sequence[nn.Module], layout: Layout, links: Sequence[_Link]) -> None:
        self.layout = layout
        self._links = list(links)
        self.parameters = {
            name: torch.stack([net.get_parameter(name).detach() for net in nets])
            for name, _ in nets[0].named_parameters()
        }
        self.buffers = {}
        self.frozen = frozenset(name for name, parameter in nets[0].named_parameters() if not parameter.requires_grad)
        self._places = {link.name: place for place, link in enumerate(link for link in links if link.dropout)}
        dropping = [link.dropout for link in links if link.dropout]
        self.rates = [tuple(float(cast(Any, net.get_submodule(name)).p) for name in dropping) for net in nets]
        self._scratch: dict[tuple[Any, ...], Tensor] = {}
        self._inputs = torch.empty(0)
        self._passes: list[tuple[Tensor, Tensor, Tensor, Tensor | None]] = []

    def _buffer(self, role: str, number: int, samples: int) -> Tensor:
        weight = self.parameters[f"{self._links[number].name}.weight"]
        key = (role, number, samples, weight.shape[0])
        if key not in self._scratch:
            self._scratch[key] = weight.new_empty(weight.shape[0], weight.shape[1], samples)
        return self._scratch[key]

    @torch.no_grad()
    def forward(self, inputs: Tensor, masks: Masks | None, *, training: bool) -> Tensor:
        self._inputs = x = inputs.flatten(2)
        samples = x.shape[1]
        self._passes = []
        h = x
        for number, link in enumerate(self._links):
            z = self._affine(number, h, self._buffer("z", number, samples))
            a = z
            kind = type(link.activation)
            if kind in _ACTIVATIONS:
                activation = _ACTIVATIONS[cast(type[nn.Module], kind)]
                a = z if activation.in_place else self._buffer("a", number, samples)
                activation.forward(z, a, link.activation)
            noise = self._noise(link, masks, a.shape) if training and masks and link.dropout else None
            h = a if noise is None else torch.mul(a, noise, out=self._buffer("h", number, samples))
            self._passes.append((z, a, h, noise))
        return h

    def _noise(self, link: _Link, masks: Masks, shape: Sequence[int]) -> Tensor | None:
        noise = masks.at(self._places[link.name], (shape[2], shape[1]))  # a model alone has samples before features
        return None if noise is None else noise.mT.contiguous()

    def _affine(self, number: int, h: Tensor, out: Tensor) -> Tensor:
        """W h + b for all members: the inputs [G, N, in] of the first link are shared, [K, in, N] later are not."""
        name = self._links[number].name
        weight, bias = self.parameters[f"{name}.weight"], self.parameters.get(f"{name}.bias")
        shift = None if bias is None else bias[:, :, None]
        if number == 0:
            weight, shift, result = self._by_group(weight), None if shift is None else self._by_group(shift), out
            h, out = self._shared_inputs().mT, self._by_group(out)
            _product(shift, weight, h, out)
            return result
        return _product(shift, weight, h, out)

    def _by_group(self, tensor: Tensor) -> Tensor:
        """[K, features, …] as [G, features of all members of a group, …], where groups are of one size."""
        layout = self.layout
        return tensor.view(layout.groups, -1, *tensor.shape[2:]) if layout.per_group else tensor

    def _shared_inputs(self) -> Tensor:
        return self._inputs if self.layout.per_group else self.layout.spread(self._inputs)

    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        names = [name for name in self.parameters if name not in self.frozen]
        gradients = {name: torch.empty_like(self.parameters[name]) for name in names}
        self.descend(gradient, gradients, 0.0)
        return list(gradients.values())

    @torch.no_grad()
    def descend(self, gradient: Tensor, into: dict[str, Tensor], keep: float) -> None:
        """into = keep · into + gradient, for every parameter named in `into`; `gradient` [K, C, N] is written to."""
        g = gradient
        for number in reversed(range(len(self._links))):
            link = self._links[number]
            z, a, _, noise = self._passes[number]
            if noise is not None:
                g.mul_(noise)
            kind = type(link.activation)
            if kind in _ACTIVATIONS:
                _ACTIVATIONS[cast(type[nn.Module], kind)].backward(g, z, a, link.activation)
            weight, bias = f"{link.name}.weight", f"{link.name}.bias"
            lower = g
            if number:  # before the weights change, which `into` may be
                lower = torch.bmm(self.parameters[weight].mT, g, out=self._buffer("g", number - 1, g.shape[2]))
            if weight in into:
                by_group = _as_it_is if number else self._by_group
                below = self._passes[number - 1][2].mT if number else self._shared_inputs()
                target = by_group(into[weight])
                torch.baddbmm(target, by_group(g), below, beta=keep, out=target)
            if bias in into:
                into[bias].mul_(keep).add_(g.sum(2)) if keep else torch.sum(g, 2, out=into[bias])
            g = lower

    def select(self, keep: Tensor, layout: Layout) -> None:
        super().select(keep, layout)
        self._scratch.clear()


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _product(shift: Tensor | None, weight: Tensor, h: Tensor, out: Tensor) -> Tensor:
    return torch.bmm(weight, h, out=out) if shift is None else torch.baddbmm(shift, weight, h, out=out)
