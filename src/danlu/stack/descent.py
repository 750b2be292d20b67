"""SGD on a chain without a pass of its own: the products of the backward pass add to the momentum."""

from torch import Tensor

from danlu.stack.chain import ChainNet
from danlu.stack.numbers import add_scaled, beside
from danlu.stack.optimisers import SGD
from danlu.stack.rates import Schedules


class FusedDescent:
    """SGD in one product a layer: momentum = μ · momentum + rate · gradient, then weights = weights - momentum.

    The rate goes into the loss's gradient, where numbers are few; what is kept is the momentum times the rate, so that
    a schedule's change from step to step goes into μ. Without momentum the product is added to the weights themselves.
    """

    def __init__(self, net: ChainNet, optimiser: SGD) -> None:
        self._net = net
        self._optimiser = optimiser
        self.last_share = 1.0  # of the full rate, in the update before

    def backward(self, gradient: Tensor, schedules: Schedules) -> None:
        optimiser = self._optimiser
        if not optimiser.has_momentum and not optimiser.decays:
            self._net.descend(gradient.neg_(), optimiser.parameters, 1.0)
            return
        keep = optimiser.numbers["momentum"] * (schedules.share / self.last_share)
        self.last_share = schedules.share
        velocities = optimiser.velocities
        if optimiser.decays or isinstance(keep, Tensor):
            shrink = optimiser.numbers["weight_decay"] * schedules.rates
            for velocity, weights in zip(velocities, optimiser.parameters, strict=True):
                velocity.mul_(beside(keep, velocity))
                if optimiser.decays:
                    add_scaled(velocity, weights, beside(shrink, velocity))
            keep = 1.0
        self._net.descend(gradient, velocities, keep)

    def update(self) -> None:
        optimiser = self._optimiser
        optimiser.steps += 1
        if optimiser.has_momentum or optimiser.decays:
            for weights, velocity in zip(optimiser.parameters, optimiser.velocities, strict=True):
                weights.sub_(velocity)
