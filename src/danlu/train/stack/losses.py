"""Losses of a stack: one value a member, and the gradient with respect to the outputs, in closed form.

Outputs are [K, C, N]: features before samples, so that a softmax runs over whole rows of samples at once.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from danlu.base.recipe import LossRecipe
from danlu.train.stack.numbers import Number, all_are, beside, numbers, picked

Both = tuple[Tensor, Tensor]


class StackedLoss:
    """The loss called `name` for K members, whose label smoothing and Huber's delta may differ; one reduction.

    Called with outputs [K, C, N] and targets [K, N] (classes) or [K, N, T], it gives the losses [K] and their gradients
    [K, C, N], these times `scale` [K].
    """

    def __init__(self, name: str, recipes: Sequence[LossRecipe], device: torch.device, dtype: torch.dtype) -> None:
        self._function = LOSSES[name]
        self._sums = recipes[0].reduction == "sum"
        self._setting = numbers([_setting(name, recipe) for recipe in recipes], device, dtype)
        self._weight: tuple[Number, int, Number] = (0.0, 0, 0.0)

    def __call__(self, outputs: Tensor, targets: Tensor, scale: Number = 1.0) -> Both:
        count = 1 if self._sums else targets[0].numel()
        if self._weight[0] is not scale or self._weight[1] != count:
            self._weight = (scale, count, beside(scale / count, outputs))
        values, gradient = self._function(outputs, targets, self._setting, self._weight[2])
        return values.div_(count), gradient

    def select(self, keep: Tensor) -> None:
        self._setting = picked(self._setting, keep)
        self._weight = (0.0, 0, 0.0)


def _setting(name: str, recipe: LossRecipe) -> float:
    return recipe.delta if name == "huber" else recipe.label_smoothing


def _cross_entropy(outputs: Tensor, classes: Tensor, smoothing: Number, weight: Number) -> Both:
    logs = torch.log_softmax(outputs, 1)
    places = classes[:, None]
    values = logs.gather(1, places).sum((1, 2)).neg_()
    if all_are(smoothing, 0):
        gradient = logs.exp_()
        return values, gradient.scatter_(1, places, -1.0, reduce="add").mul_(weight)
    share = smoothing / outputs.shape[1]
    values = values * (1 - smoothing) - share * logs.sum((1, 2))
    gradient = logs.exp_()
    away = 1 - beside(smoothing, gradient)
    gradient = gradient - beside(share, gradient)
    gradient.scatter_add_(1, places, -(gradient.new_ones(places.shape) * away))
    return values, gradient.mul_(weight)


def _nll(outputs: Tensor, classes: Tensor, _: Number, weight: Number) -> Both:
    places = classes[:, None]
    gradient = torch.zeros_like(outputs)
    gradient.scatter_(1, places, -1.0)
    return outputs.gather(1, places).sum((1, 2)).neg_(), gradient.mul_(weight)


def _bce(outputs: Tensor, classes: Tensor, _: Number, weight: Number) -> Both:
    targets = classes[:, None].to(outputs.dtype)
    values = F.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum((1, 2))
    return values, outputs.sigmoid().sub_(targets).mul_(weight)


def _mse(outputs: Tensor, targets: Tensor, _: Number, weight: Number) -> Both:
    error = outputs - targets.mT
    return error.square().sum((1, 2)), error.mul_(2 * weight)


def _l1(outputs: Tensor, targets: Tensor, _: Number, weight: Number) -> Both:
    error = outputs - targets.mT
    return error.abs().sum((1, 2)), error.sign_().mul_(weight)


def _huber(outputs: Tensor, targets: Tensor, delta: Number, weight: Number) -> Both:
    error = outputs - targets.mT
    most = beside(delta, error)
    size = error.abs()
    values = torch.where(size <= most, 0.5 * size.square(), most * (size - 0.5 * most)).sum((1, 2))
    return values, torch.where(size <= most, error, most * error.sign()).mul_(weight)


LOSSES: dict[str, Callable[[Tensor, Tensor, Number, Number], Both]] = {
    "cross-entropy": _cross_entropy,
    "nll": _nll,
    "bce": _bce,
    "mse": _mse,
    "l1": _l1,
    "huber": _huber,
}


def first_bad(losses: Tensor) -> list[int]:
    """The number, from 1, of the first of [S, K] losses that is not finite, for each member; 0 where all are.

    >>> first_bad(torch.tensor([[1.0, 1.0], [float("inf"), 1.0], [float("nan"), 1.0]]))
    [2, 0]
    """
    bad = ~losses.isfinite()
    return torch.where(bad.any(0), bad.int().argmax(0) + 1, 0).tolist()
