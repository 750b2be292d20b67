"""Losses of a stack: one value a member, and the gradient with respect to the outputs, in closed form.

Outputs are [K, C, N]: features before samples, so that a softmax runs over whole rows of samples at once.
"""

import functools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from danlu.base.recipe import LossRecipe
from danlu.stack.numbers import Number, all_are, beside, numbers, picked
from danlu.train.focal import gamma_of, missed

Both = tuple[Tensor, Tensor]


class StackedLoss:
    """The loss called `name` for K members, whose numbers and class weights may differ; one reduction.

    Called with outputs [K, C, N] and targets [K, N] (classes) or [K, N, T], it gives the losses [K] and their gradients
    [K, C, N], these times `scale` [K]. `counts` [K] says how many of the N samples are a member's own, where not all
    are; the others, at the end, count for nothing.
    """

    def __init__(self, name: str, recipes: Sequence[LossRecipe], device: torch.device, dtype: torch.dtype) -> None:
        self._name, self._function = name, LOSSES[name]
        self._sums = recipes[0].reduction == "sum"
        self._setting = numbers([setting_of(name, recipe) for recipe in recipes], device, dtype)
        self._weight: tuple[Number, int, Number] = (0.0, 0, 0.0)
        weights = [recipe.class_weights for recipe in recipes]
        self._classes = None if weights[0] is None else torch.tensor(weights, device=device, dtype=torch.float64)

    def __call__(self, outputs: Tensor, targets: Tensor, scale: Number = 1.0, counts: Tensor | None = None) -> Both:
        if self._classes is not None:
            return self._of_classes(self._classes, outputs, targets, scale, counts)
        values, gradient = self._function(outputs, targets, self._setting)
        if counts is not None:
            return self._of_some(values, gradient, targets, scale, counts)
        count = 1 if self._sums else targets[0].numel()
        if self._weight[0] is not scale or self._weight[1] != count:
            self._weight = (scale, count, beside(scale / count, outputs))
        mean = values.mean(1) if count == values.shape[1] else values.sum(1).div_(count)
        return mean, gradient.mul_(self._weight[2])

    def _of_some(self, values: Tensor, gradient: Tensor, targets: Tensor, scale: Number, counts: Tensor) -> Both:
        own = torch.arange(values.shape[1], device=counts.device) < counts[:, None]
        size = targets[0, 0].numel()
        weights = own / (1 if self._sums else counts[:, None] * size)
        weights = weights.to(values.dtype)
        return (values * weights).sum(1), gradient.mul_((weights * beside(scale, weights))[:, None])

    def _of_classes(
        self, classes: Tensor, outputs: Tensor, targets: Tensor, scale: Number, counts: Tensor | None
    ) -> Both:
        """By the weights of the classes [K, C]: what each sample is divided by comes from them too."""
        weights = classes.to(outputs.dtype)
        values, gradient, counted = WEIGHTED[self._name](outputs, targets, self._setting, weights)
        if counts is not None:
            own = torch.arange(values.shape[1], device=counts.device) < counts[:, None]
            values, gradient, counted = values * own, gradient * own[:, None], counted * own
        total = torch.ones_like(counted[:, 0]) if self._sums else counted.sum(1)
        return values.sum(1) / total, gradient.mul_(beside(scale / total, gradient))

    def counted(self, targets: Tensor) -> Tensor | int:
        """By what the mean loss of targets [K, N] is divided: samples, or the weights of their classes, [K]."""
        if self._classes is None or self._name == "bce":
            return targets.shape[1]
        return self._classes.gather(1, targets).sum(1).to(torch.float32)

    def select(self, keep: Tensor) -> None:
        self._setting = picked(self._setting, keep)
        self._classes = None if self._classes is None else self._classes.index_select(0, keep)
        self._weight = (0.0, 0, 0.0)


def setting_of(name: str, recipe: LossRecipe) -> float:
    """The number that the loss called `name` has besides: a share of smoothing, Huber's delta, focal's gamma."""
    if name == "focal":
        return gamma_of(recipe)
    return recipe.delta if name == "huber" else recipe.label_smoothing


@functools.lru_cache(16)
def _minus_ones(shape: torch.Size, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A tensor of -1 that nobody changes: to add it at given places is faster than to add a number."""
    return torch.full(shape, -1.0, dtype=dtype, device=device)


# Each gives the losses of the samples [K, N], summed over the numbers of a sample, and their gradients [K, C, N].


def _cross_entropy(outputs: Tensor, classes: Tensor, smoothing: Number) -> Both:
    logs = torch.log_softmax(outputs, 1)
    places = classes[:, None]
    values = logs.gather(1, places).squeeze(1).neg_()
    if all_are(smoothing, 0):
        return values, logs.exp_().scatter_add_(1, places, _minus_ones(places.shape, logs.dtype, logs.device))
    share = smoothing / outputs.shape[1]
    values = values * beside(1 - smoothing, values) - logs.sum(1) * beside(share, values)
    gradient = logs.exp_() - beside(share, logs)
    return values, gradient.scatter_add_(1, places, gradient.new_ones(places.shape) * (beside(smoothing, logs) - 1))


def _nll(outputs: Tensor, classes: Tensor, _: Number) -> Both:
    places = classes[:, None]
    return -outputs.gather(1, places).squeeze(1), torch.zeros_like(outputs).scatter_(1, places, -1.0)


def _bce(outputs: Tensor, classes: Tensor, smoothing: Number) -> Both:
    targets = _binary(outputs, classes, smoothing)
    values = F.binary_cross_entropy_with_logits(outputs, targets, reduction="none").squeeze(1)
    return values, outputs.sigmoid().sub_(targets)


def _binary(outputs: Tensor, classes: Tensor, smoothing: Number) -> Tensor:
    """What one output is to be, [K, 1, N]: 0 or 1, or a little between."""
    targets = classes[:, None].to(outputs.dtype)
    if all_are(smoothing, 0):
        return targets
    return targets * beside(1 - smoothing, targets) + beside(smoothing / 2, targets)


def _focal(outputs: Tensor, classes: Tensor, gamma: Number) -> Both:
    if outputs.shape[1] == 1:
        values, gradient = _focal(torch.cat([torch.zeros_like(outputs), outputs], 1), classes, gamma)
        return values, gradient[:, 1:]
    places = classes[:, None]
    logs = torch.log_softmax(outputs, 1)
    own = logs.gather(1, places)
    power, rest = beside(gamma, own), missed(own)
    easy = rest**power
    slope = power * own.exp() * rest ** (power - 1) * own - easy
    gradient = logs.exp_().neg_().scatter_add_(1, places, torch.ones_like(own))
    return (-easy * own).squeeze(1), gradient.mul_(slope)


def _mse(outputs: Tensor, targets: Tensor, _: Number) -> Both:
    error = outputs - targets.mT
    return error.square().sum(1), error.mul_(2)


def _l1(outputs: Tensor, targets: Tensor, _: Number) -> Both:
    error = outputs - targets.mT
    return error.abs().sum(1), error.sign_()


def _huber(outputs: Tensor, targets: Tensor, delta: Number) -> Both:
    error = outputs - targets.mT
    most = beside(delta, error)
    size = error.abs()
    values = torch.where(size <= most, 0.5 * size.square(), most * (size - 0.5 * most)).sum(1)
    return values, torch.where(size <= most, error, most * error.sign())


LOSSES: dict[str, Callable[[Tensor, Tensor, Number], Both]] = {
    "cross-entropy": _cross_entropy,
    "nll": _nll,
    "bce": _bce,
    "focal": _focal,
    "mse": _mse,
    "l1": _l1,
    "huber": _huber,
}


Weighted = tuple[Tensor, Tensor, Tensor]


# The same by weights of the classes [K, C], with what each sample counts where the mean is taken, [K, N].


def _weighted_cross_entropy(outputs: Tensor, classes: Tensor, smoothing: Number, weights: Tensor) -> Weighted:
    """Every class of the smoothed target by the weight of its own, as torch has it."""
    logs = torch.log_softmax(outputs, 1)
    wanted = torch.zeros_like(outputs).scatter_(1, classes[:, None], 1.0)
    if not all_are(smoothing, 0):
        wanted = wanted * beside(1 - smoothing, wanted) + beside(smoothing / outputs.shape[1], wanted)
    wanted = wanted * weights[:, :, None]
    return -(wanted * logs).sum(1), logs.exp() * wanted.sum(1, keepdim=True) - wanted, weights.gather(1, classes)


def _weighted_bce(outputs: Tensor, classes: Tensor, smoothing: Number, weights: Tensor) -> Weighted:
    targets = _binary(outputs, classes, smoothing)
    ratio = (weights[:, 1] / weights[:, 0])[:, None, None]
    values = F.binary_cross_entropy_with_logits(outputs, targets, pos_weight=ratio, reduction="none").squeeze(1)
    gradient = outputs.sigmoid() * (ratio * targets + 1 - targets) - ratio * targets
    return values, gradient, torch.ones_like(values)


def _by_class(function: Callable[[Tensor, Tensor, Number], Both]) -> Callable[..., Weighted]:
    def weighted(outputs: Tensor, classes: Tensor, setting: Number, weights: Tensor) -> Weighted:
        values, gradient = function(outputs, classes, setting)
        counted = weights.gather(1, classes)
        return values * counted, gradient * counted[:, None], counted

    return weighted


WEIGHTED: dict[str, Callable[[Tensor, Tensor, Number, Tensor], Weighted]] = {
    "cross-entropy": _weighted_cross_entropy,
    "nll": _by_class(_nll),
    "bce": _weighted_bce,
    "focal": _by_class(_focal),
}


def first_bad(losses: Tensor) -> list[int]:
    """The number, from 1, of the first of [S, K] losses that is not finite, for each member; 0 where all are.

    >>> first_bad(torch.tensor([[1.0, 1.0], [float("inf"), 1.0], [float("nan"), 1.0]]))
    [2, 0]
    """
    bad = ~losses.isfinite()
    return torch.where(bad.any(0), bad.int().argmax(0) + 1, 0).tolist()
