"""The training loop. It reads like the textbook; it emits events and knows no listener by name."""

from collections.abc import Callable, Iterable, Sequence

from danlu.base.events import EpochDone, Event, Listener, StepDone, Stop, TrainingStarted
from danlu.base.records import Score
from danlu.train.losses import terms
from danlu.train.progress import Progress
from danlu.train.step import Batch, PlainStep

Batches = Callable[[int, int], Iterable[Batch]]
"""The batches of an epoch (counted from 0), from batch number `start` on."""

Evaluate = Callable[[], Score | Stop | None]
"""Scores the validation part; None where there is none, Stop when told to break off."""


def train(
    step: PlainStep,
    batches: Batches,
    evaluate: Evaluate,
    progress: Progress,
    listeners: Sequence[Listener],
) -> Stop | None:
    """Train from where `progress` stands to its last epoch; None when done, or the Stop that ended it."""

    def emit(event: Event) -> Stop | None:
        verdict = None
        for listener in listeners:
            verdict = listener(event) or verdict
        return verdict

    if progress.patience_is_over:  # killed between the last step and the end
        return Stop("early")
    emit(TrainingStarted(progress.epoch, progress.step, progress.epochs, progress.steps_per_epoch))
    for epoch in range(progress.epoch, progress.epochs):
        step.start_epoch(epoch, progress.batch)
        for batch in batches(epoch, progress.batch):
            step.begin(progress.step)
            for inputs, targets in step.parts(batch):
                outputs = step.forward(inputs)
                loss = step.loss(outputs, targets)
                step.backward(loss)
            norm = step.clip()
            step.update()

            progress.count(step.batch_loss, terms(batch[1]))
            stop = emit(StepDone(epoch + 1, progress.step, step.batch_loss, step.lr, norm, len(batch[0])))
            if stop:
                return stop

        validation = evaluate()
        if isinstance(validation, Stop):
            return validation
        if validation:
            step.schedule.see(validation["loss"])
        train_score, best = progress.end_epoch(validation)
        stop = emit(EpochDone(epoch + 1, progress.step, train_score, validation, best))
        if stop:
            return stop
        if progress.patience_is_over:
            return Stop("early")
    return None
