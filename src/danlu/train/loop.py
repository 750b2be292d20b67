"""The training loop. It reads like the textbook; it emits events and knows no listener by name."""

from collections.abc import Callable, Iterable, Sequence

from danlu.base.events import EpochDone, Event, Listener, StepDone, Stop, TrainingStarted
from danlu.base.records import Score
from danlu.train.engine import Batch, Engine
from danlu.train.losses import terms
from danlu.train.progress import Progress

Batches = Callable[[int, int], Iterable[Batch]]
"""The batches of an epoch (counted from 0), from batch number `start` on."""

Evaluate = Callable[[], Score | Stop | None]
"""Scores the validation part; None where there is none, Stop when told to break off."""


def train(
    engine: Engine,
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
        engine.start_epoch(epoch, progress.batch)
        for batch in batches(epoch, progress.batch):
            engine.begin(progress.step)
            for inputs, targets in engine.parts(batch):
                outputs = engine.forward(inputs)
                loss = engine.loss(outputs, targets)
                engine.backward(loss)
            norm = engine.clip()
            engine.update()

            progress.count(engine.batch_loss, terms(batch[1]))
            stop = emit(StepDone(epoch + 1, progress.step, engine.batch_loss, engine.lr, norm, batch[0].shape[0]))
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
        if progress.patience_is_over:
            return Stop("early")
    return None
