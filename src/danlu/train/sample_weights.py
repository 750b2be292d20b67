"""A loss in which samples count by weights of their own, which come as the first column of the targets."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from danlu.base.recipe import LossRecipe
from danlu.train.class_weights import WEIGHED, as_tensor
from danlu.train.losses import LOSSES, build_loss


class SampleWeighted:
    """The loss of a recipe as a weighted mean: Σ wₙ·lₙ / Σ wₙ over the samples n of a batch (with class weights c
    Σ wₙ·cₙ below, as torch has it), or the sum Σ wₙ·lₙ. Of several numbers or labels a sample, lₙ is their mean.

    >>> loss = SampleWeighted(LossRecipe(name="mse"))
    >>> loss(torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0, 0.0], [1.0, 0.0]]))  # (3·1 + 1·4) / 4
    tensor(1.7500)
    """

    def __init__(self, recipe: LossRecipe) -> None:
        loss: Callable[..., Tensor] = build_loss(recipe.name, recipe)
        self._each = functools.partial(loss, reduction="none")
        self._sums = recipe.reduction == "sum"
        self._labels = LOSSES[recipe.name][1] == "classification"
        self._classes = recipe.class_weights if recipe.name in WEIGHED and recipe.name != "bce" else None

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """`targets` are [N, 1 + T]: the weight of each sample, then what it is to be."""
        own = self._own(targets)
        values = self._each(outputs, own).reshape(len(targets), -1)
        each = values.sum(1) if self._sums else values.mean(1)
        total = (targets[:, 0] * each).sum()
        return total if self._sums else total / self.counted(targets)

    def counted(self, targets: Tensor) -> Tensor:
        """By what the mean over these samples is divided: never 0, also where all weigh nothing."""
        weights = targets[:, 0]
        if self._classes:
            of_classes = as_tensor(self._classes, weights)
            assert of_classes is not None
            weights = weights * of_classes[self._own(targets)]
        return weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)

    def _own(self, targets: Tensor) -> Tensor:
        """The targets without their weights: classes [N] int64, or numbers and labels [N, T]."""
        own = targets[:, 1:]
        return own[:, 0].round().to(torch.int64) if self._labels and own.shape[1] == 1 else own
