"""K chains of linear layers (perceptrons, linear models) trained at once by hand-written products, without autograd.

A step of a small net is passes over memory more than arithmetic. Here the gradient of a weight is never stored: its
product is added straight onto the velocity (one `baddbmm`, momentum being its `beta`), the rate having been put into
the slope of the loss. That is torch's SGD with momentum to rounding, in half the passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Slope = tuple[Tensor, Tensor]
"""The loss of each member [K], and its slope with respect to the outputs [K, N, O], both unscaled by any rate."""


def cross_entropy_slope(outputs: Tensor, targets: Tensor, smoothing: Tensor | None = None) -> Slope:
    """Mean cross-entropy of logits [K, N, C] against classes int64 [K, N], and p - q over N.

    `smoothing` [K] moves that share of the target evenly onto all classes (Szegedy et al. 2016).
    """
    samples, classes = outputs.shape[1:]
    log_p = torch.log_softmax(outputs, 2)
    at = targets.unsqueeze(2)
    losses = -log_p.gather(2, at).squeeze(2).mean(1)
    if smoothing is None:
        slope = log_p.exp_().scatter_add_(2, at, log_p.new_full((), -1.0).expand(at.shape))
        return losses, slope.div_(samples)
    share = smoothing.view(-1, 1, 1)
    losses = (1 - smoothing) * losses - smoothing * log_p.mean((1, 2))
    slope = log_p.exp_().sub_(share / classes).scatter_add_(2, at, (share - 1).expand(at.shape))
    return losses, slope.div_(samples)


def squared_error_slope(outputs: Tensor, targets: Tensor) -> Slope:
    """Mean squared error of outputs against targets, both [K, N, T], over all N·T numbers."""
    error = outputs - targets
    return error.square().mean((1, 2)), error.mul_(2 / error[0].numel())


def logit_slope(outputs: Tensor, targets: Tensor) -> Slope:
    """Mean binary cross-entropy of one logit a sample [K, N, 1] against 0/1 in the same shape."""
    losses = torch.nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").mean((1, 2))
    return losses, outputs.sigmoid().sub_(targets).div_(outputs.shape[1])


@dataclass
class Layer:
    """One linear layer of K members with what follows it: weight [K, O, I], bias [K, O] or None, activation by name.

    >>> Layer(torch.zeros(3, 4, 2), torch.zeros(3, 4), "relu").weight.shape
    torch.Size([3, 4, 2])
    """

    weight: Tensor
    bias: Tensor | None
    activation: str = "identity"  # or "relu", "tanh", "sigmoid"

    def __post_init__(self) -> None:
        self.velocity = torch.zeros_like(self.weight)
        self.bias_velocity = None if self.bias is None else torch.zeros_like(self.bias)


class Chain:
    """The layers of K members, their forward pass and their descent by SGD with momentum.

    >>> chain = Chain([Layer(torch.zeros(3, 4, 2), None, "relu"), Layer(torch.zeros(3, 1, 4), torch.zeros(3, 1))])
    >>> chain.forward(torch.ones(3, 8, 2)).shape
    torch.Size([3, 8, 1])
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        self._inputs: list[Tensor] = []  # what went into each layer in the last forward pass
        self._active: list[Tensor] = []  # what each activation gave, before dropout
        self._masks: Sequence[Tensor | None] = ()

    def forward(self, inputs: Tensor, masks: Sequence[Tensor | None] = ()) -> Tensor:
        """Outputs [K, N, O] of inputs [K, N, I] (expanded, where members share a batch).

        `masks[l]` [K, N, width], kept values already divided by their share, is dropout's behind layer l.
        """
        self._inputs, self._active, self._masks = [], [], masks
        values = inputs
        for index, layer in enumerate(self.layers):
            self._inputs.append(values)
            transposed = layer.weight.transpose(1, 2)
            if layer.bias is None:
                values = torch.bmm(values, transposed)
            else:
                values = torch.baddbmm(layer.bias.unsqueeze(1), values, transposed)
            values = _activate(values, layer.activation)
            self._active.append(values)
            mask = masks[index] if masks else None
            if mask is not None:
                values = values * mask
        return values

    def descend(self, slope: Tensor, rate: Tensor, momentum: float | Tensor = 0.0, decay: Tensor | None = None) -> None:
        """One update of every member along `slope` [K, N, O], that of the loss with respect to the last outputs.

        `rate` [K]; `momentum` one number, or [K]; `decay` [K] is the weight decay. The velocities hold rate times
        torch's: `rescale` them when a rate changes. A `rate` of 0 with finite slopes leaves a member's weights alone.
        """
        slope = slope * rate.view(-1, 1, 1)
        shrink = None if decay is None else (rate * decay)
        for index in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[index]
            mask = self._masks[index] if self._masks else None
            if mask is not None:
                slope = slope.mul_(mask)
            slope = _back_through(slope, self._active[index], layer.activation)
            before = torch.bmm(slope, layer.weight) if index else slope
            _accelerate(layer, slope, self._inputs[index], momentum, shrink)
            slope = before
        torch._foreach_sub_([layer.weight for layer in self.layers], [layer.velocity for layer in self.layers])
        biased = [layer for layer in self.layers if layer.bias is not None]
        if biased:
            torch._foreach_sub_([layer.bias for layer in biased], [layer.bias_velocity for layer in biased])

    def rescale(self, ratio: Tensor) -> None:
        """Tell the velocities that the rates have changed by `ratio` [K] (new over old)."""
        for layer in self.layers:
            layer.velocity.mul_(ratio.view(-1, 1, 1))
            if layer.bias_velocity is not None:
                layer.bias_velocity.mul_(ratio.view(-1, 1))


def _accelerate(layer: Layer, slope: Tensor, inputs: Tensor, momentum: float | Tensor, shrink: Tensor | None) -> None:
    beta = momentum
    if isinstance(momentum, Tensor):
        layer.velocity.mul_(momentum.view(-1, 1, 1))
        beta = 1.0
    layer.velocity.baddbmm_(slope.transpose(1, 2), inputs, beta=beta)
    if shrink is not None:
        layer.velocity.addcmul_(layer.weight, shrink.view(-1, 1, 1))
    if layer.bias is None or layer.bias_velocity is None:
        return
    layer.bias_velocity.mul_(momentum.view(-1, 1) if isinstance(momentum, Tensor) else momentum).add_(slope.sum(1))
    if shrink is not None:
        layer.bias_velocity.addcmul_(layer.bias, shrink.view(-1, 1))


def _activate(values: Tensor, name: str) -> Tensor:
    if name == "relu":
        return values.relu_()
    if name == "tanh":
        return values.tanh_()
    return values.sigmoid_() if name == "sigmoid" else values


def _back_through(slope: Tensor, active: Tensor, name: str) -> Tensor:
    """The slope in front of an activation, from the slope behind it and what it gave."""
    if name == "relu":
        return torch.ops.aten.threshold_backward(slope, active, 0)
    if name == "tanh":
        return torch.ops.aten.tanh_backward(slope, active)
    return torch.ops.aten.sigmoid_backward(slope, active) if name == "sigmoid" else slope
