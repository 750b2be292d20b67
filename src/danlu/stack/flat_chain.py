"""A chain of one member: its weights lie in one piece of memory, and the net of the user's has its own there meanwhile.

As in `chain.py` forward and backward are written out and activations are [features, N]. With one member there is no
axis of members to carry along, a gradient's scale goes into the products that make it, and what an optimiser does is
done to the whole net at once. On a small net that halves the time of a step once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from danlu.stack.activations import ACTIVATIONS, InPlaceActivation
from danlu.stack.chain import ChainLink
from danlu.stack.masks import Masks, Rates

_MOST_SIZES = 16  # of batches whose buffers are kept; somebody's loader may give them of any size


@dataclass(frozen=True, eq=False)
class _Pass:
    """One link for batches of one size: views of the weights, and the buffers that its products write to."""

    weight: Tensor  # [out, in]
    transposed: Tensor
    shift: Tensor | None  # [out, 1]
    z: Tensor  # [out, N], before the activation
    a: Tensor  # after it; may be z
    a_rows: Tensor  # [N, out]
    h: Tensor  # after dropout, where there is one
    h_rows: Tensor
    slope: Tensor  # the gradient with respect to h, and then z
    activation: InPlaceActivation | None
    layer: nn.Module | None
    place: int | None  # of the dropout, among all of the net


class FlatChain:
    """The chain `links` of `net`. `flat` [P] holds all of its weights that are trained.

    Attached, the net's parameters are views of it, so whoever reads them reads the current weights; detached, they lie
    again where they did, with what was learnt.
    """

    def __init__(self, net: nn.Module, links: Sequence[ChainLink]) -> None:
        self._net = net
        self._links = list(links)
        trained = {name: one.detach() for name, one in net.named_parameters() if one.requires_grad}
        self._shapes = {name: one.shape for name, one in trained.items()}
        self.flat = torch.cat([one.flatten() for one in trained.values()])
        frozen = {name: one.detach().clone() for name, one in net.named_parameters() if not one.requires_grad}
        self._weights = {**frozen, **self.cut(self.flat)}
        dropping = [link.dropout for link in links if link.dropout]
        self._places = {name: place for place, name in enumerate(dropping)}
        self.rates: Rates = tuple(float(cast(Any, net.get_submodule(name)).p) for name in dropping)
        self._own: dict[str, Tensor] = {}
        self._passes_of: dict[int, tuple[list[_Pass], Tensor]] = {}
        self._passes: list[_Pass] = []
        self._ones = self._inputs = torch.empty(0)
        self._noises: list[Tensor | None] = []

    def cut(self, flat: Tensor) -> dict[str, Tensor]:
        """The parts of a tensor [P] that belong to each parameter; views."""
        parts = flat.split([shape.numel() for shape in self._shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}

    def attach(self) -> None:
        """Take the weights over from the net, whose parameters become views of them."""
        for name, parameter in self._net.named_parameters():
            self._weights[name].copy_(parameter.detach())
            self._own[name] = parameter.data
            parameter.data = self._weights[name]
            parameter.grad = None

    def detach(self) -> None:
        """Give the weights back, to where they lay."""
        for name, parameter in self._net.named_parameters():
            own = self._own.pop(name)
            own.copy_(parameter.detach())
            parameter.data = own

    def targets(self, flat: Tensor) -> list[tuple[Tensor | None, Tensor | None]]:
        """The parts of a tensor [P] that take the gradients of each link's weight and bias, as `descend` wants them."""
        named = self.cut(flat)
        return [(named.get(f"{link.name}.weight"), named.get(f"{link.name}.bias")) for link in self._links]

    def forward(self, inputs: Tensor, masks: Masks | None) -> Tensor:
        """Inputs [N, …] to outputs [C, N]; `masks` draw what dropout takes away."""
        self._inputs = inputs if inputs.dim() == 2 else inputs.flatten(1)
        self._prepare(inputs.shape[0])
        below = self._inputs.t()
        for one in self._passes:
            if one.shift is None:
                torch.mm(one.weight, below, out=one.z)
            else:
                torch.addmm(one.shift, one.weight, below, out=one.z)
            if one.activation:
                one.activation.forward(one.z, one.a, one.layer)
            below = one.a
            if masks:
                drawn = None if one.place is None else masks.at(one.place, one.a_rows.shape)
                noise = None if drawn is None else drawn[0].t()
                self._noises.append(noise)
                below = one.a if noise is None else torch.mul(one.a, noise, out=one.h)
        return below

    def _prepare(self, samples: int) -> None:
        """Have the buffers for a batch at hand."""
        if samples not in self._passes_of:
            if len(self._passes_of) == _MOST_SIZES:
                self._passes_of.clear()
            self._passes_of[samples] = [self._pass(link, samples) for link in self._links], self.flat.new_ones(samples)
        self._passes, self._ones = self._passes_of[samples]
        self._noises = []

    def _pass(self, link: ChainLink, samples: int) -> _Pass:
        weight, bias = self._weights[f"{link.name}.weight"], self._weights.get(f"{link.name}.bias")
        activation = ACTIVATIONS.get(type(link.activation)) if link.activation else None
        z = weight.new_empty(len(weight), samples)
        a = z if activation is None or activation.in_place else torch.empty_like(z)
        h = torch.empty_like(z) if link.dropout else a
        shift = None if bias is None else bias[:, None]
        place = self._places.get(link.dropout or "")
        buffers = (z, a, a.t(), h, h.t(), torch.empty_like(z))
        return _Pass(weight, weight.t(), shift, *buffers, activation, link.activation, place)

    def descend(
        self, slope: Tensor, into: Sequence[tuple[Tensor | None, Tensor | None]], keep: float, scale: float
    ) -> None:
        """t = keep · t + scale · gradient for each of the tensors `into`; `slope` [C, N] is the gradient with respect
        to the last outputs, and is written to."""
        passes, noises = self._passes, self._noises
        for number in range(len(passes) - 1, -1, -1):
            one = passes[number]
            noise = noises[number] if noises else None
            if noise is not None:
                slope.mul_(noise)
            if one.activation:
                one.activation.backward(slope, one.z, one.a, one.layer)
            if number:  # before the weights change, which `into` may be
                lower = passes[number - 1]
                torch.mm(one.transposed, slope, out=lower.slope)
                below = lower.h_rows if noises and noises[number - 1] is not None else lower.a_rows
            else:
                lower, below = one, self._inputs
            weight, bias = into[number]
            if weight is not None:
                torch.addmm(weight, slope, below, beta=keep, alpha=scale, out=weight)
            if bias is not None:  # the sum over the samples, as a product that adds to what is there
                torch.addmv(bias, slope, self._ones, beta=keep, alpha=scale, out=bias)
            slope = lower.slope
