"""Optimisers on stacked parameters [K, …] whose settings may differ from member to member.

They follow torch.optim member by member. Yes-or-no options are one for the whole stack.
"""

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from danlu.base.recipe import OptimRecipe
from danlu.stack.numbers import Number, add_scaled, all_are, beside, numbers, picked

_TORCH: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
STACKED = tuple(_TORCH)
"""Names of the optimisers that a stack has."""

FLAGS = ("nesterov", "amsgrad", "centered", "decoupled_weight_decay")
"""Options that all members of a stack must share."""


def setting(recipe: OptimRecipe, key: str) -> Any:
    """What a recipe says, else torch's default; 0 for an option this optimiser lacks."""
    value = getattr(recipe, key)
    if value is not None:
        return value
    return _defaults(recipe.name).get(key, 0.0)


@functools.cache
def _defaults(name: str) -> dict[str, Any]:
    return {key: parameter.default for key, parameter in inspect.signature(_TORCH[name]).parameters.items()}


class StackedOptimiser(ABC):
    """Holds the settings of K members and the state of every parameter, each [K, …]."""

    settings: tuple[str, ...] = ()

    def __init__(self, parameters: Sequence[Tensor], recipes: Sequence[OptimRecipe]) -> None:
        self.parameters = list(parameters)
        self.steps = 0
        self.recipe = recipes[0]
        first = self.parameters[0]
        self._device, self._dtype = first.device, first.dtype
        self.numbers = {key: self._numbers(recipes, key) for key in (*self.settings, "weight_decay")}
        self.decays = any(setting(recipe, "weight_decay") for recipe in recipes)
        self.state = self._first_state()

    def _numbers(self, recipes: Sequence[OptimRecipe], key: str) -> Number:
        return numbers([setting(recipe, key) for recipe in recipes], self._device, self._dtype)

    def flag(self, key: str) -> bool:
        return bool(setting(self.recipe, key))

    def _first_state(self) -> dict[str, list[Tensor]]:
        return {}

    def zeros(self) -> list[Tensor]:
        return [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]

    def step(self, gradients: Sequence[Tensor], rates: Number) -> None:
        """One update; `rates` are the learning rates of this step. The gradients may be written to."""
        self.steps += 1
        for place, (parameter, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            state = {name: tensors[place] for name, tensors in self.state.items()}
            settings = {key: beside(number, parameter) for key, number in self.numbers.items()}
            own = beside(rates, parameter)
            direction = self._with_decay(parameter, gradient, own) if self.decays else gradient
            self.update(parameter, direction, own, state, settings)

    def _with_decay(self, parameter: Tensor, gradient: Tensor, rates: Number) -> Tensor:
        return gradient + parameter * beside(self.numbers["weight_decay"], parameter)

    @abstractmethod
    def update(
        self, parameter: Tensor, gradient: Tensor, rates: Number, state: dict[str, Tensor], settings: dict[str, Any]
    ) -> None:
        """Change one parameter and its state in place."""

    def select(self, keep: Tensor) -> None:
        self.numbers = {key: picked(number, keep) for key, number in self.numbers.items()}
        self.state = {name: [tensor[keep] for tensor in tensors] for name, tensors in self.state.items()}


class SGD(StackedOptimiser):
    """Stochastic gradient descent with momentum, dampening and Nesterov's variant."""

    settings = ("momentum", "dampening")

    def _first_state(self) -> dict[str, list[Tensor]]:
        self.has_momentum = not all_are(self.numbers["momentum"], 0)
        return {"momentum": self.zeros()} if self.has_momentum or self.decays else {}

    @property
    def velocities(self) -> list[Tensor]:
        return self.state["momentum"]

    def update(
        self, parameter: Tensor, gradient: Tensor, rates: Number, state: dict[str, Tensor], settings: dict[str, Any]
    ) -> None:
        if self.has_momentum:
            buffer = state["momentum"]
            dampening = settings["dampening"]
            undamped = self.steps == 1 or all_are(dampening, 0)
            buffer.mul_(settings["momentum"]).add_(gradient if undamped else gradient * (1 - dampening))
            gradient = gradient + buffer * settings["momentum"] if self.flag("nesterov") else buffer
        add_scaled(parameter, gradient, -rates)


class Adam(StackedOptimiser):
    """Adam (Kingma and Ba 2014, https://arxiv.org/abs/1412.6980) and, decoupled, AdamW (https://arxiv.org/abs/1711.05101)."""

    settings = ("eps",)

    def __init__(self, parameters: Sequence[Tensor], recipes: Sequence[OptimRecipe]) -> None:
        super().__init__(parameters, recipes)
        self._decoupled = self.recipe.name == "adamw" or self.flag("decoupled_weight_decay")
        betas = [setting(recipe, "betas") for recipe in recipes]
        # In float64 also where the parameters are not: 1 - beta^t loses half the digits otherwise.
        self._first = numbers([first for first, _ in betas], self._device, torch.float64)
        self._second = numbers([second for _, second in betas], self._device, torch.float64)

    def _first_state(self) -> dict[str, list[Tensor]]:
        state = {"mean": self.zeros(), "square": self.zeros()}
        return {**state, "largest": self.zeros()} if self.flag("amsgrad") else state

    def _with_decay(self, parameter: Tensor, gradient: Tensor, rates: Number) -> Tensor:
        if not self._decoupled:
            return super()._with_decay(parameter, gradient, rates)
        parameter.mul_(1 - rates * beside(self.numbers["weight_decay"], parameter))
        return gradient

    def update(
        self, parameter: Tensor, gradient: Tensor, rates: Number, state: dict[str, Tensor], settings: dict[str, Any]
    ) -> None:
        first, second = beside(self._first, parameter), beside(self._second, parameter)
        mean, square = state["mean"], state["square"]
        mean.lerp_(gradient, _plain(1 - first, parameter))
        square.mul_(_plain(second, parameter)).add_(gradient.square().mul_(_plain(1 - second, parameter)))
        if "largest" in state:
            square = torch.maximum(state["largest"], square, out=state["largest"])
        # p - rate / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε), with all that has no element axis taken together first.
        size = rates / (1 - first**self.steps)
        root = (1 - second**self.steps) ** 0.5
        denominator = (
            square.sqrt().mul_(_plain(1 / (root * size), parameter)).add_(_plain(settings["eps"] / size, parameter))
        )
        parameter.addcdiv_(mean, denominator, value=-1.0)

    def select(self, keep: Tensor) -> None:
        super().select(keep)
        self._first, self._second = picked(self._first, keep), picked(self._second, keep)


class Adagrad(StackedOptimiser):
    """Adagrad (Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html)."""

    settings = ("eps", "lr_decay", "initial_accumulator_value")

    def _first_state(self) -> dict[str, list[Tensor]]:
        start = self.numbers["initial_accumulator_value"]
        return {"sum": [tensor.add_(beside(start, tensor)) for tensor in self.zeros()]}

    def update(
        self, parameter: Tensor, gradient: Tensor, rates: Number, state: dict[str, Tensor], settings: dict[str, Any]
    ) -> None:
        rates = rates / (1 + (self.steps - 1) * settings["lr_decay"])
        total = state["sum"].addcmul_(gradient, gradient)
        add_scaled(parameter, gradient / total.sqrt().add_(settings["eps"]), -rates)


class RMSprop(StackedOptimiser):
    """RMSprop (Tieleman and Hinton 2012), also centered and with momentum."""

    settings = ("eps", "alpha", "momentum")

    def _first_state(self) -> dict[str, list[Tensor]]:
        state = {"square": self.zeros()}
        if self.flag("centered"):
            state["mean"] = self.zeros()
        if not all_are(self.numbers["momentum"], 0):
            state["momentum"] = self.zeros()
        return state

    def update(
        self, parameter: Tensor, gradient: Tensor, rates: Number, state: dict[str, Tensor], settings: dict[str, Any]
    ) -> None:
        alpha = settings["alpha"]
        square = state["square"].mul_(alpha).add_(gradient.square().mul_(1 - alpha))
        if "mean" in state:
            mean = state["mean"].mul_(alpha).add_(gradient * (1 - alpha))
            square = square - mean.square()
        direction = gradient / square.sqrt().add_(settings["eps"])
        if "momentum" in state:
            direction = state["momentum"].mul_(settings["momentum"]).add_(direction)
        add_scaled(parameter, direction, -rates)


_KINDS: dict[str, type[StackedOptimiser]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": Adam,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
}


def build_stacked_optimiser(parameters: Sequence[Tensor], recipes: Sequence[OptimRecipe]) -> StackedOptimiser:
    """The optimiser of the recipes, which agree in its name and its yes-or-no options."""
    return _KINDS[recipes[0].name](parameters, recipes)


def _plain(number: Number, parameter: Tensor) -> Any:
    """A number in the parameter's own precision."""
    return number.to(parameter.dtype) if isinstance(number, Tensor) else number
