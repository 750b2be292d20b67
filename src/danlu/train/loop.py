"""The training loop. It reads like the textbook; it emits events and knows no listener by name.

It is the only place where an update is put together: one model and stacks of models go through it, whole trainings and
the few steps of a range test or a timing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from danlu.base.events import EpochDone, Scores, StepDone, Stop, TrainingStarted
from danlu.train.engine import AnyBatch, Updates
from danlu.train.progress import Position

Batches = Callable[[int, int], Iterable[AnyBatch]]
"""The batches of an epoch (counted from 0), from batch number `start` on."""

Evaluate = Callable[[], Scores | Stop | None]
"""Scores the validation part; None where there is none, Stop when told to break off."""


def train(
    engine: Updates[AnyBatch],
    batches: Batches[AnyBatch],
    evaluate: Evaluate[Scores],
    progress: Position[Scores],
    listeners: Sequence[Callable[[Any], Stop | None]],
) -> Stop | None:
    """Train from where `progress` stands to its last epoch; None when done, or the Stop that ended it."""

    def emit(event: TrainingStarted | StepDone | EpochDone[Scores]) -> Stop | None:
        verdict = None
        for listener in listeners:
            verdict = listener(event) or verdict
        return verdict

    if progress.ended_early:  # killed between the last step and the end
        return Stop("early")
    emit(TrainingStarted(progress.epoch, progress.step, progress.epochs, progress.steps_per_epoch))
    for epoch in range(progress.epoch, progress.epochs):
        engine.start_epoch(epoch, progress.batch)
        for batch in batches(epoch, progress.batch):
            engine.begin(progress.step)
            for inputs, targets in engine.parts(batch):
                outputs = engine.forward(inputs)
                loss = engine.loss(outputs, targets)
                engine.backward(loss)
            norm = engine.clip()
            engine.update()

            samples, terms = engine.size(batch)
            progress.count(engine.batch_loss, terms)
            stop = emit(StepDone(epoch + 1, progress.step, engine.batch_loss, engine.lr, norm, samples))
            if stop:
                return stop

        validation = evaluate()
        if isinstance(validation, Stop):
            return validation
        if validation:
            engine.schedule.see(validation["loss"])
        train_score, best = progress.end_epoch(validation)
        stop = emit(EpochDone(epoch + 1, progress.step, train_score, validation, best))
        if stop:
            return stop
        if progress.ended_early:
            return Stop("early")
    return None
