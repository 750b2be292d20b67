"""Moving averages of the weights of a stack."""

from collections.abc import Sequence

import torch
from torch import Tensor

from danlu.base.recipe import Recipe
from danlu.stack.numbers import beside, numbers, picked


class MovingAverage:
    """Exponential moving averages of weights and buffers, as `AveragedModel` keeps them of one model."""

    def __init__(self, state: dict[str, Tensor], recipes: Sequence[Recipe], device: torch.device) -> None:
        self.tensors = {name: tensor.clone() for name, tensor in state.items()}
        self.updates = 0
        decays = [recipe.train.ema or 0.0 for recipe in recipes]
        self._decay = numbers(decays, device, torch.float64)

    def follow(self, state: dict[str, Tensor]) -> None:
        for name, average in self.tensors.items():
            new = state[name]
            if self.updates == 0:
                average.copy_(new)
                continue
            decay = beside(self._decay, average)
            dtype = average.dtype if average.is_floating_point() else torch.get_default_dtype()
            keep, take = (number.to(dtype) if isinstance(number, Tensor) else number for number in (decay, 1 - decay))
            if average.is_floating_point():
                average.lerp_(new, take)
            else:
                average.copy_(average * keep + new * take)
        self.updates += 1

    def exchange(self, state: dict[str, Tensor]) -> None:
        """Put the averages where the weights are, and the weights here."""
        for name, average in self.tensors.items():
            kept = average.clone()
            average.copy_(state[name])
            state[name].copy_(kept)

    def select(self, keep: Tensor) -> None:
        self.tensors = {name: tensor[keep] for name, tensor in self.tensors.items()}
        self._decay = picked(self._decay, keep)
