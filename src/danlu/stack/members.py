"""What is trained in a stack: members, the data of each fold, and what comes out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from danlu.base.recipe import Recipe


@dataclass(frozen=True)
class StackMember:
    """One model of a stack: a recipe with every choice made (rate, batch size, loss by name), and the fold it is for.

    The order of its samples is that of `danlu.fit` with its seed, or of `order_seed` where one is given: members with
    one order and one fold share every batch, which is faster and pairs them more closely.
    """

    recipe: Recipe
    fold: int = 0
    order_seed: int | None = None

    @property
    def seed(self) -> int:
        return self.recipe.train.seed


@dataclass(frozen=True, eq=False)
class FoldRows:
    """Data of one fold: rows of shared tensors, so that folds cost no copies.

    `inputs` [M, …] and `targets` [M] or [M, T] hold all samples on the device in the dtype of training; `train` and
    `validation` are row numbers, int64, in the order that `danlu.fit` would see them. `transform` is what a batch of
    inputs goes through (pixels to floats).
    """

    inputs: Tensor
    targets: Tensor
    train: Tensor
    validation: Tensor | None = None
    transform: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """Members after training, in the order in which they were given.

    `states` are their weights as `state_dict`s: the last ones, or the best where the recipe asks for these.
    `train_loss` float64 [epochs, K] is the mean loss a sample, NaN where a member trained no longer; `validation` has
    the loss and the task's metrics by name, each float64 [epochs, K], NaN where nothing was measured. `score` is the
    validation score of the weights in `states`, each [K]. `epochs` int64 [K] counts the epochs done, `chosen` [K] is
    the one whose weights are in `states`; `diverged` [K] is the step, from 1, whose loss was not finite, 0 where there
    was none, and `dropped` [K] the epoch after which the member had to make way for better ones, 0 where it had not.
    """

    states: Sequence[dict[str, Tensor]]
    train_loss: Tensor
    validation: dict[str, Tensor]
    score: dict[str, Tensor]
    epochs: Tensor
    chosen: Tensor
    diverged: Tensor
    dropped: Tensor
    seconds: float

    def of(self, columns: Sequence[int]) -> "Trained":
        """Some of the members alone."""
        places = torch.tensor(columns, dtype=torch.int64)
        return Trained(
            [self.states[column] for column in columns],
            self.train_loss[:, places],
            {name: values[:, places] for name, values in self.validation.items()},
            {name: values[places] for name, values in self.score.items()},
            self.epochs[places],
            self.chosen[places],
            self.diverged[places],
            self.dropped[places],
            self.seconds,
        )
