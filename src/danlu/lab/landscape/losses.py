"""The loss of one net at many weights: stacks of as many copies as memory holds, or one after another."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from danlu.base.recipe import LossRecipe
from danlu.base.seeds import preserved_randomness
from danlu.lab.landscape.axes import Axes
from danlu.stack import find_way, stackable
from danlu.stack.layout import Layout
from danlu.stack.losses import LOSSES, StackedLoss
from danlu.stack.memory import suggested_members
from danlu.train.carried import Carried
from danlu.train.class_weights import counted_by
from danlu.train.losses import build_loss
from danlu.train.terms import terms

Batches = Sequence[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Ground:
    """What the loss is a function of: a net in evaluation mode, samples, and the loss, always its mean."""

    net: nn.Module
    batches: Batches
    loss: LossRecipe
    carries: bool = False  # a language model, whose state goes from batch to batch

    def losses(self, axes: Axes, points: Sequence[tuple[float, float]]) -> list[float]:
        """The mean loss at each point (x, y) of the plane that the axes span."""
        sample = self.batches[0][0]
        with preserved_randomness():
            way = None
            if not self.carries and self.loss.name in LOSSES and stackable(self.net) is None:
                way = find_way(self.net, sample[:3])
            if way is None:
                return [self._alone(axes, x, y) for x, y in points]
            most = suggested_members(self.net, sample[:3], len(sample), sample.device, 1)
            most = min(most, len(points))
            stack = way.build([copy.deepcopy(self.net) for _ in range(most)], Layout.of([0] * most, sample.device))
            found: list[float] = []
            for start in range(0, len(points), most):
                chunk = [*points[start : start + most]]
                filled = torch.tensor(chunk + chunk[-1:] * (most - len(chunk)), dtype=torch.float64)
                with torch.no_grad():
                    for name, weights in at(axes, filled).items():
                        stack.parameters[name].copy_(weights)
                    found += self._together(stack.forward, most)[: len(chunk)]
            return found

    def _together(self, forward: Callable[..., Tensor], members: int) -> list[float]:
        total, count = torch.zeros(members, dtype=torch.float64), 0.0
        recipe, counted = replace(self.loss, reduction="mean"), counted_by(self.loss)
        for inputs, targets in self.batches:
            outputs = forward(inputs[None], None, training=False)
            own = targets.expand(members, *targets.shape)
            values = StackedLoss(recipe.name, [recipe] * members, outputs.device, outputs.dtype)(outputs, own)[0]
            total += values.double().cpu() * counted(targets)
            count += counted(targets)
        return (total / count).tolist()

    def _alone(self, axes: Axes, x: float, y: float) -> float:
        net = copy.deepcopy(self.net)
        placed = at(axes, torch.tensor([[x, y]], dtype=torch.float64))
        loss = build_loss(self.loss.name, replace(self.loss, reduction="mean"))
        total, count, counted = 0.0, 0.0, counted_by(self.loss) if self.loss.class_weights else terms
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                if name in placed:
                    parameter.copy_(placed[name][0])
            forward = Carried(net) if self.carries else net
            for inputs, targets in self.batches:
                total += float(loss(forward(inputs), targets)) * counted(targets)
                count += counted(targets)
        return total / count


def at(axes: Axes, points: Tensor) -> dict[str, Tensor]:
    """The weights [K, …] at points [K, 2], float64."""
    placed: dict[str, Tensor] = {}
    for name, origin in axes.origin.items():
        along = torch.stack([axes.first[name].flatten(), axes.second[name].flatten()])
        placed[name] = (origin.flatten() + points.to(along.device) @ along).view(len(points), *origin.shape)
    return placed
