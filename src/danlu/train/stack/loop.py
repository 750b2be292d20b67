"""The training loop of a stack. It reads like that of one model; members that end early leave it at an epoch's end."""

from collections.abc import Callable, Sequence

import torch

from danlu.base.events import Stop
from danlu.train.stack.feed import Feed
from danlu.train.stack.progress import StackProgress
from danlu.train.stack.scores import Judge
from danlu.train.stack.step import StackedStep

# With fewer of its members in training a stack is compacted. Not at the first that ends: products of another size round
# otherwise, so the last digit of the others would change.
_WORTH_KEEPING = 0.75


@torch.no_grad()
def train_stack(
    step: StackedStep,
    feed: Feed,
    judge: Judge,
    progress: StackProgress,
    *,
    every_epoch: bool,
    until: int | None = None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Stop | None:
    """Train from where `progress` stands until no member is left; None when done, Stop when told to break off.

    `every_epoch`: the members are validated after each epoch, not only at the end; which is that of epoch `until` where
    one is given, and the training can go on from there. A member whose loss was not finite ends with that epoch, and so
    does one whose patience is over; what has ended is dropped from time to time.
    """
    last = until or progress.epochs
    for epoch in range(progress.epoch, last):
        for batch in feed.batches(epoch):
            step.begin(progress.step)
            for inputs, targets, counts in step.parts(batch):
                outputs = step.forward(inputs)
                loss = step.loss(outputs, targets, counts)
                step.backward(loss)
            step.clip()
            step.update()

            progress.count(step.batch_loss, batch.samples)
            if asked_to_stop():
                return Stop("interrupted")

        held = feed.validation() if every_epoch or epoch + 1 == last else None
        validation = None if held is None else judge.score(step, held)
        if validation:
            step.schedules.see(validation["loss"].tolist())
        going_on = progress.end_epoch(step, validation)
        if not going_on:
            return None
        compact(step, feed, progress, going_on)
    return None


def compact(step: StackedStep, feed: Feed, progress: StackProgress, going_on: Sequence[int]) -> None:
    """Leave those members behind that have ended, where they are many enough to pay for it."""
    if going_on and len(going_on) <= _WORTH_KEEPING * step.members:
        feed.select(step.compact(going_on), step.layout)
        progress.keep(going_on)
