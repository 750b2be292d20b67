"""The loss of one member: its value, and the gradient of the sum over the samples."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from danlu.base.recipe import LossRecipe
from danlu.stack.losses import LOSSES, StackedLoss, setting_of

OneLoss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, int]]
"""Outputs [C, N] and targets [N] or [N, T] to the loss, 0-d, the gradient [C, N] of the sum over all its terms, and the
number of terms that the loss is divided by."""


def one_loss(recipe: LossRecipe) -> OneLoss:
    """The loss of a recipe that calls it by name.

    >>> one_loss(LossRecipe(name="l1"))(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0], [4.0]]))
    (tensor(1.5000), tensor([[ 1., -1.]]), 2)
    """
    if recipe.class_weights:
        return _weighted(recipe)
    sums = recipe.reduction == "sum"
    if recipe.name == "cross-entropy" and not recipe.label_smoothing:
        return _summed_cross_entropy if sums else _cross_entropy
    function, setting = LOSSES[recipe.name], setting_of(recipe.name, recipe)

    def loss(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, int]:
        values, gradient = function(outputs[None], targets[None], setting)
        count = 1 if sums else targets.numel()
        return values.sum().div_(count), gradient[0], count

    return loss


def _weighted(recipe: LossRecipe) -> OneLoss:
    """The gradient comes divided by the weights that the loss is a mean of: as one term, so to speak."""
    stacked = StackedLoss(recipe.name, [recipe], torch.device("cpu"), torch.float64)

    def loss(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, int]:
        value, gradient = stacked(outputs[None], targets[None])
        return value[0], gradient[0], 1

    return loss


def _cross_entropy(outputs: Tensor, classes: Tensor) -> tuple[Tensor, Tensor, int]:
    """As `losses.py` has it, in as few operations as there can be."""
    logs = torch.log_softmax(outputs, 0)
    places = classes[None]
    count = classes.shape[0]
    minus, shares = _constants(count, logs.dtype, logs.device)
    value = torch.dot(logs.gather(0, places).view(-1), shares)  # -mean(), in half the time
    return value, logs.exp_().scatter_add_(0, places, minus), count


@functools.lru_cache(16)
def _constants(count: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """For so many samples -1 each [1, N], and -1/N each [N]; nobody changes them."""
    minus = torch.full((1, count), -1.0, dtype=dtype, device=device)
    return minus, minus[0] / count


def _summed_cross_entropy(outputs: Tensor, classes: Tensor) -> tuple[Tensor, Tensor, int]:
    value, gradient, count = _cross_entropy(outputs, classes)
    return value.mul_(count), gradient, 1
