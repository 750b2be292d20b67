"""Where a training stands: integers and sums, which is all that an exact resume needs besides the tensors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from danlu.base.events import Scores, StepDone, Stop
from danlu.base.recipe import Recipe
from danlu.base.records import Score, held_out_is_finite
from danlu.train.schedules import Horizon

_PENDING = 512  # losses kept as tensors before they are read: reading each one would make a GPU wait every step


class Position(Protocol[Scores]):
    """What the loop asks of whoever counts: of one model, or of a stack with an axis of members."""

    epochs: int
    steps_per_epoch: int
    epoch: int  # epochs done
    step: int  # updates done
    batch: int  # updates done in the running epoch

    def count(self, loss: torch.Tensor, terms: Any, /) -> None:
        """One update is done: `loss` is the batch's, a mean over so many terms."""
        ...

    def end_epoch(self, validation: Scores | None) -> tuple[Scores, Any]:
        """Close the epoch: its mean training loss, and whether `validation` is the best so far."""
        ...

    @property
    def ended_early(self) -> bool:
        """Whether nothing is trained any longer, before the last epoch."""
        ...


@dataclass
class Progress:
    """Position, sums of the running epoch, and the best validation score so far."""

    epochs: int
    steps_per_epoch: int
    patience: int | None = None
    loss_is_sum: bool = False
    epoch: int = 0  # epochs done
    step: int = 0  # updates done
    batch: int = 0  # updates done in the running epoch
    loss_total: float = 0.0  # sum over the running epoch's samples
    diverged_since: int = 0  # the step from which on no loss was finite; 0: the newest is
    samples: int = 0  # of the running epoch; of a text, its tokens
    best: tuple[float, ...] = ()  # rank of the best validation score
    best_epoch: int = 0
    patient_since: int = 0  # the epochs done when waiting for a better score began: at the start, or going on
    best_score: Score | None = None
    best_train_score: Score | None = None  # of the same epoch
    train_score: Score = field(default_factory=dict[str, float])
    validation_score: Score | None = None
    _pending: list[tuple[torch.Tensor, int]] = field(default_factory=list[tuple[torch.Tensor, int]], repr=False)

    def count(self, loss: torch.Tensor, samples: int) -> None:
        """One update is done: `loss` is the batch's, 0-d."""
        self.step += 1
        self.batch += 1
        self._pending.append((loss, samples))
        if len(self._pending) >= _PENDING:
            self._read_losses()

    def end_epoch(self, validation: Score | None) -> tuple[Score, bool]:
        """Close the epoch: its mean training loss, and whether `validation` is the best so far."""
        self._read_losses()
        self.train_score = {"loss": self.loss_total / max(1, self.samples)}
        self.validation_score = validation
        self.epoch += 1
        self.batch, self.loss_total, self.samples = 0, 0.0, 0
        order = rank(validation) if validation else ()
        best = bool(order) and (not self.best or order > self.best)
        if best:
            self.best, self.best_epoch, self.best_score = order, self.epoch, validation
            self.best_train_score = self.train_score
        return self.train_score, best

    def diverged_at(self, score: Mapping[str, Score]) -> int | None:
        """The step from which on the training diverged: no loss was finite, or those of the final `score` are not."""
        self._read_losses()
        return self.diverged_since or (None if held_out_is_finite(score) else self.step)

    @property
    def ended_early(self) -> bool:
        return self.patience is not None and self.epoch - max(self.best_epoch, self.patient_since) >= self.patience

    def wait_anew(self) -> None:
        """Count the epochs without a better score from here on."""
        self.patient_since = self.epoch if self.patience is not None else 0

    def state(self) -> dict[str, Any]:
        """The numbers a checkpoint holds."""
        self._read_losses()
        return {name: getattr(self, name) for name in _KEPT} | {"best": list(self.best)}

    def load_state(self, state: dict[str, Any]) -> None:
        for name in _KEPT:
            setattr(self, name, state.get(name, getattr(self, name)))  # one of an earlier danlu may lack it
        self.best = tuple(self.best)
        self._pending = []

    def _read_losses(self) -> None:
        if not self._pending:
            return
        losses = torch.stack([loss for loss, _ in self._pending]).tolist()
        first = self.step - len(losses) + 1
        for step, (loss, (_, samples)) in enumerate(zip(losses, self._pending, strict=True), first):
            self.diverged_since = 0 if math.isfinite(loss) else self.diverged_since or step
            self.loss_total += loss if self.loss_is_sum else loss * samples
            self.samples += samples
        self._pending = []


class FewSteps:
    """Where a training stands of which nothing but its first steps is wanted; the listener besides that ends it then.

    It goes on over epochs, which have no score.
    """

    def __init__(self, steps: int) -> None:
        self.epochs = steps  # an epoch has a step at least
        self.steps_per_epoch = 0  # not known
        self.epoch = self.step = self.batch = 0
        self._most = steps

    def count(self, loss: torch.Tensor, terms: Any) -> None:
        self.step += 1
        self.batch += 1

    def end_epoch(self, validation: Mapping[str, Any] | None) -> tuple[dict[str, Any], bool]:
        self.epoch += 1
        self.batch = 0
        return {}, False

    @property
    def ended_early(self) -> bool:
        return False

    def __call__(self, event: object) -> Stop | None:
        return Stop("enough") if isinstance(event, StepDone) and event.step >= self._most else None


def progress_of(recipe: Recipe, horizon: Horizon) -> Progress:
    """Where a training by `recipe` stands before its first step."""
    return Progress(
        epochs=horizon.epochs,
        steps_per_epoch=horizon.steps_per_epoch,
        patience=recipe.train.patience,
        loss_is_sum=recipe.loss.reduction == "sum",
    )


def unscored() -> None:
    """What stands for a validation part where there is none."""


_KEPT = (
    "epoch",
    "step",
    "batch",
    "loss_total",
    "diverged_since",
    "samples",
    "best",
    "best_epoch",
    "patient_since",
    "best_score",
    "best_train_score",
    "train_score",
    "validation_score",
)


def rank(score: Score) -> tuple[float, ...]:
    """Sorting key of a validation score, larger is better: accuracy first where there is one, then the loss.

    A score with a NaN or an infinity in what it is judged by has no rank: it is never the best.

    >>> rank({"loss": 0.2, "accuracy": 0.9}) > rank({"loss": 0.3, "accuracy": 0.9})
    True
    >>> rank({"loss": float("nan")})
    ()
    """
    key = (score["accuracy"], -score["loss"]) if "accuracy" in score else (-score["loss"],)
    return key if all(math.isfinite(number) for number in key) else ()
