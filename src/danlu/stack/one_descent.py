"""From the gradient of the outputs of one member to its new weights: backward, clip and update of a FlatChain."""

from typing import Any, Protocol

import torch
from torch import Tensor

from danlu.base.recipe import Recipe
from danlu.stack.flat_chain import FlatChain
from danlu.stack.optimisers import SGD, StackedOptimiser, build_stacked_optimiser


class OneDescent(Protocol):
    """What the engine asks for; `optimiser` has the state."""

    @property
    def optimiser(self) -> StackedOptimiser: ...

    def backward(self, slope: Tensor, count: int, rate: float) -> None:
        """Take the gradient [C, N] of `count` times the loss with respect to the outputs, which is written to."""
        ...

    def clip(self) -> Tensor | None:
        """Clip the gradient; its norm before that, 0-d, where a limit of the norm is asked for."""
        ...

    def update(self, rate: float) -> None:
        """Move the weights."""
        ...

    def state(self) -> dict[str, Any]:
        """The numbers that a checkpoint holds."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        ...


def one_descent(chain: FlatChain, recipe: Recipe) -> OneDescent:
    """The descent of a recipe: without a gradient of its own where the optimiser lets the products add to its state."""
    optimiser = build_stacked_optimiser([chain.flat[None]], [recipe.optim])
    clips = recipe.train.clip_norm is not None or recipe.train.clip_value is not None
    plain = not (clips or optimiser.flag("nesterov") or optimiser.numbers.get("dampening"))
    if isinstance(optimiser, SGD) and plain:
        return ProductDescent(chain, optimiser)
    return GradientDescent(chain, optimiser, recipe)


class GradientDescent:
    """The gradient first, as one tensor; then it is clipped, and the optimiser moves the weights."""

    def __init__(self, chain: FlatChain, optimiser: StackedOptimiser, recipe: Recipe) -> None:
        self.optimiser = optimiser
        self._chain = chain
        self._gradient = torch.zeros_like(chain.flat)
        self._targets = chain.targets(self._gradient)
        self._clip_norm, self._clip_value = recipe.train.clip_norm, recipe.train.clip_value

    def backward(self, slope: Tensor, count: int, rate: float) -> None:
        self._chain.descend(slope, self._targets, 0.0, 1 / count)

    def clip(self) -> Tensor | None:
        if self._clip_value is not None:
            self._gradient.clamp_(-self._clip_value, self._clip_value)
        if self._clip_norm is None:
            return None
        norm = torch.linalg.vector_norm(self._gradient)
        self._gradient.mul_((self._clip_norm / (norm + 1e-6)).clamp_(max=1.0))
        return norm

    def update(self, rate: float) -> None:
        self.optimiser.step([self._gradient[None]], rate)

    def state(self) -> dict[str, Any]:
        return {"updates": self.optimiser.steps}

    def load_state(self, state: dict[str, Any]) -> None:
        self.optimiser.steps = state["updates"]


class ProductDescent:
    """SGD in one product a layer: momentum = μ · momentum + rate · gradient, then weights = weights - momentum.

    What is kept is the momentum times the rate, so that a schedule's change from step to step goes into μ. Without
    momentum and decay the products are taken from the weights themselves.
    """

    def __init__(self, chain: FlatChain, optimiser: SGD) -> None:
        self.optimiser = optimiser
        self._chain = chain
        self._momentum, self._decay = float(optimiser.numbers["momentum"]), float(optimiser.numbers["weight_decay"])
        self._keeps = bool(optimiser.state)
        self._velocity = optimiser.velocities[0][0] if self._keeps else chain.flat
        self._targets = chain.targets(self._velocity)
        self._last_rate = 0.0
        self._slope, self._count = chain.flat, 1

    def backward(self, slope: Tensor, count: int, rate: float) -> None:
        if not self._keeps:  # the products move the weights: not before `update`, which somebody may look at
            self._slope, self._count = slope, count
            return
        keep = self._momentum * (rate / self._last_rate) if self._last_rate else 0.0
        self._last_rate = rate
        if self._decay:
            self._velocity.mul_(keep).add_(self._chain.flat, alpha=self._decay * rate)
            keep = 1.0
        self._chain.descend(slope, self._targets, keep, rate / count)

    def clip(self) -> None:
        return None

    def update(self, rate: float) -> None:
        if self._keeps:
            self._chain.flat.sub_(self._velocity)
        else:
            self._chain.descend(self._slope, self._targets, 1.0, -rate / self._count)

    def state(self) -> dict[str, Any]:
        return {"rate": self._last_rate}

    def load_state(self, state: dict[str, Any]) -> None:
        self._last_rate = state["rate"]
