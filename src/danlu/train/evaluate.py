"""Scoring a part of the data: no gradients, evaluation mode, loss and metrics over all its samples."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from danlu.base.events import Stop
from danlu.base.records import Score
from danlu.train.losses import Loss
from danlu.train.metrics import Metrics
from danlu.train.step import Batch


def evaluate(
    net: nn.Module,
    batches: Iterable[Batch],
    loss: Loss,
    metrics: Metrics,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Score | Stop:
    """The mean loss a sample and the metrics; Stop when told to break off, which leaves nothing behind.

    `loss` must be reduced by its mean. The net comes back in the mode it was in.
    """
    was_training = net.training
    net.eval()
    total, count = 0.0, 0
    try:
        with torch.no_grad():
            for inputs, targets in batches:
                if asked_to_stop():
                    metrics.reset()
                    return Stop("interrupted")
                outputs = net(inputs)
                total += float(loss(outputs, targets)) * len(targets)
                count += len(targets)
                metrics.update(outputs, targets)
    finally:
        net.train(was_training)
    return {"loss": total / max(1, count), **metrics.compute()}
