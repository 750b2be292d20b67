"""Activation functions by name, class or module, with their slopes by autograd."""

import copy
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd as AnyDropout  # pyright: ignore[reportPrivateUsage]

from danlu.base.naming import spelled
from danlu.base.seeds import preserved_randomness
from danlu.view.info.activation import ActivationCurve

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "mish": nn.Mish,
    "relu6": nn.ReLU6,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "hardtanh": nn.Hardtanh,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "log-sigmoid": nn.LogSigmoid,
    "tanhshrink": nn.Tanhshrink,
    "softshrink": nn.Softshrink,
    "hardshrink": nn.Hardshrink,
}
"""Functions of one number that are drawn by name."""

_REACH, _STEPS = 6, 100  # from -6 to 6, in steps of a hundredth: kinks at whole numbers and at 0.5 are points of it


def activation_named(word: str) -> str | None:
    """The activation that a word spells, or None.

    >>> activation_named("LeakyReLU"), activation_named("lenet5")
    ('leaky-relu', None)
    """
    return spelled(word, ACTIVATIONS)


def is_activation(what: object) -> TypeGuard[nn.Module]:
    """Whether it is a module without parameters, buffers and parts that makes a number of each number by itself.

    >>> is_activation(nn.Sigmoid()), is_activation(nn.Softmax(0)), is_activation(nn.Linear(1, 1))
    (True, False, False)
    """
    if not isinstance(what, nn.Module) or isinstance(what, AnyDropout):
        return False
    if any(True for part in (what.parameters(), what.buffers(), what.children()) for _ in part):
        return False
    x = torch.linspace(-2, 2, 24).reshape(3, 2, 4)
    try:
        with preserved_randomness(), torch.no_grad():
            function = copy.deepcopy(what).eval()
            whole: Any = function(x)
            rows: list[Any] = [function(row) for row in x.split(1)]
            columns: list[Any] = [function(column) for column in x.split(1, 2)]
    except Exception:  # noqa: BLE001 - a module is the user's code: one that fails on plain numbers is none
        return False
    if (
        not isinstance(whole, Tensor)
        or whole.shape != x.shape
        or not all(isinstance(y, Tensor) for y in rows + columns)
    ):
        return False
    if not all(y.shape == part.shape for y, part in zip(rows, x.split(1), strict=True)):
        return False
    return torch.allclose(torch.cat(rows), whole) and torch.allclose(torch.cat(columns, 2), whole)


def activation_curve(function: nn.Module, name: str) -> ActivationCurve:
    """The function in evaluation mode from -6 to 6 with its slope by autograd; the module stays as it is.

    >>> curve = activation_curve(nn.Sigmoid(), "sigmoid")
    >>> curve.steepest
    (0.0, 0.25)
    """
    own = copy.deepcopy(function).eval()
    x = (torch.arange(-_REACH * _STEPS, _REACH * _STEPS + 1, dtype=torch.float64) / _STEPS).requires_grad_()
    with preserved_randomness(), torch.enable_grad():
        y: Tensor = own(x.clone())
        slopes = torch.autograd.grad(y.sum(), x, allow_unused=True)[0] if y.requires_grad else None
    flat = torch.zeros_like(x) if slopes is None else slopes
    return ActivationCurve(name, *(tuple(values.detach().tolist()) for values in (x, y, flat)))
