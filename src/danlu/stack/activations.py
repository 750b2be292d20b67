"""Activations whose backward is written out, for chains: the operations that autograd itself would call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

_aten: Any = torch.ops.aten


@dataclass(frozen=True)
class InPlaceActivation:
    """`forward` writes to `out`, `backward` changes a gradient in place from input and output; `in_place`: the
    backward needs the output alone."""

    forward: Callable[[Tensor, Tensor, Any], Any]
    backward: Callable[[Tensor, Tensor, Tensor, Any], Any]
    in_place: bool = True


ACTIVATIONS: dict[type[nn.Module], InPlaceActivation] = {
    nn.ReLU: InPlaceActivation(
        lambda z, out, layer: torch.clamp_min(z, 0.0, out=out),
        lambda g, z, a, layer: _aten.threshold_backward.grad_input(g, a, 0.0, grad_input=g),
    ),
    nn.Tanh: InPlaceActivation(
        lambda z, out, layer: torch.tanh(z, out=out),
        lambda g, z, a, layer: _aten.tanh_backward.grad_input(g, a, grad_input=g),
    ),
    nn.Sigmoid: InPlaceActivation(
        lambda z, out, layer: torch.sigmoid(z, out=out),
        lambda g, z, a, layer: _aten.sigmoid_backward.grad_input(g, a, grad_input=g),
    ),
    nn.LeakyReLU: InPlaceActivation(
        lambda z, out, layer: _aten.leaky_relu.out(z, layer.negative_slope, out=out),
        lambda g, z, a, layer: _aten.leaky_relu_backward.grad_input(g, z, layer.negative_slope, False, grad_input=g),
        in_place=False,
    ),
    nn.ELU: InPlaceActivation(
        lambda z, out, layer: _aten.elu.out(z, layer.alpha, out=out),
        lambda g, z, a, layer: _aten.elu_backward.grad_input(g, layer.alpha, 1, 1, False, z, grad_input=g),
        in_place=False,
    ),
    nn.GELU: InPlaceActivation(
        lambda z, out, layer: _aten.gelu.out(z, approximate=layer.approximate, out=out),
        lambda g, z, a, layer: _aten.gelu_backward.grad_input(g, z, approximate=layer.approximate, grad_input=g),
        in_place=False,
    ),
    nn.SiLU: InPlaceActivation(
        lambda z, out, layer: _aten.silu.out(z, out=out),
        lambda g, z, a, layer: _aten.silu_backward.grad_input(g, z, grad_input=g),
        in_place=False,
    ),
}
