"""Scoring a part of the data: no gradients, evaluation mode, loss and metrics over all its samples."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import torch
from torch import nn

from danlu.base.events import Stop
from danlu.base.records import Score
from danlu.train.engine import Batch
from danlu.train.losses import Loss
from danlu.train.terms import terms


class Scorer(Protocol):
    """What counts the batches of a part, as `Metrics` does."""

    def update(self, outputs: torch.Tensor, targets: torch.Tensor) -> None: ...

    def translated(self, written: torch.Tensor, targets: torch.Tensor) -> None: ...

    def compute(self, loss: float) -> Score: ...

    def reset(self) -> None: ...


def evaluate(
    net: nn.Module,
    batches: Iterable[Batch],
    loss: Loss,
    metrics: Scorer,
    asked_to_stop: Callable[[], bool] = lambda: False,
    forward: Callable[[torch.Tensor], Any] | None = None,
    translate: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Score | Stop:
    """The mean loss (a sample, a token) and the metrics; Stop when told to break off, which leaves nothing behind.

    `loss` must be reduced by its mean. `forward` stands for the net's own, where more belongs to a call (a memory).
    `translate` is what writes texts token by token, without being told the right ones, where the net has one. The net
    comes back in the mode it was in.
    """
    forward = forward or net
    was_training = net.training
    net.eval()
    total, count = 0.0, 0
    try:
        with torch.no_grad():
            for inputs, targets in batches:
                if asked_to_stop():
                    metrics.reset()
                    return Stop("interrupted")
                outputs = forward(inputs)
                total += float(loss(outputs, targets)) * terms(targets)
                count += terms(targets)
                metrics.update(outputs, targets)
                if translate is not None:
                    metrics.translated(translate(inputs), targets)
    finally:
        net.train(was_training)
    mean = total / max(1, count)
    return {"loss": mean, **metrics.compute(mean)}
