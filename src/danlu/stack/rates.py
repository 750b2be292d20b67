"""The learning rates of the members of a stack."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from danlu.base.recipe import Recipe
from danlu.stack.numbers import Number, numbers, picked
from danlu.train.schedules import Horizon, Schedule, keeps_rate


class Schedules:
    """The learning rates of K members, step by step; equal schedules are asked once."""

    def __init__(self, recipes: Sequence[Recipe], horizon: Horizon, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._rates = [float(recipe.optim.lr or 0.0) for recipe in recipes]
        kinds = [recipe.schedule for recipe in recipes]
        alone = [index if kind.name == "plateau" else 0 for index, kind in enumerate(kinds)]
        distinct = list(dict.fromkeys(zip(kinds, alone, strict=True)))
        self._schedules = [Schedule(kind, horizon) for kind, _ in distinct]
        self._which = [distinct.index(key) for key in zip(kinds, alone, strict=True)]
        self._constant = all(map(keeps_rate, kinds))
        self.share = 1.0  # of the full rate, where it is common to all
        self.rates: Number = numbers(self._rates, device, dtype)
        self._full = self.rates

    @property
    def common(self) -> bool:
        """Whether one schedule serves all members."""
        return len(self._schedules) == 1

    @property
    def sees(self) -> bool:
        """Whether a schedule minds the validation loss."""
        return any(schedule.plateau for schedule in self._schedules)

    def begin(self, step: int) -> None:
        if self._constant:
            return
        shares = [schedule(step) for schedule in self._schedules]
        if self.common:
            self.share = shares[0]
            self.rates = self._full * self.share
        else:
            rates = [rate * shares[which] for rate, which in zip(self._rates, self._which, strict=True)]
            self.rates = numbers(rates, self._device, self._dtype)

    def see(self, validation_loss: Sequence[float] | Tensor) -> None:
        """Tell every member's schedule its validation loss, [K]; only plateau minds."""
        for loss, which in zip(validation_loss, self._which, strict=True) if self.sees else ():
            self._schedules[which].see(float(loss))

    def select(self, keep: Sequence[int], places: Tensor) -> None:
        self._rates = [self._rates[member] for member in keep]
        self._which = [self._which[member] for member in keep]
        self._full, self.rates = picked(self._full, places), picked(self.rates, places)

    def state(self) -> list[dict[str, Any]]:
        return [schedule.state() for schedule in self._schedules]

    def load_state(self, states: Sequence[dict[str, Any]]) -> None:
        for schedule, state in zip(self._schedules, states, strict=True):
            schedule.load_state(state)
