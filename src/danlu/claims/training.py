"""What is kept of one training of a claim, and the measures that are taken of it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from danlu.base.records import Score


@dataclass(frozen=True)
class Training:
    """One training: the `score` of its judging part, its losses by epoch (None where nothing was measured), the steps
    of an epoch, and the step from which on its loss was not finite (0: it was to the end). `course` holds all scores of
    the judging part by epoch.
    """

    seed: int
    rate: float | None
    score: Score
    epochs: Sequence[int]
    train: Sequence[float | None]
    judged: Sequence[float | None]
    steps_per_epoch: int
    diverged_at: int = 0
    course: Mapping[str, Sequence[float | None]] = field(default_factory=dict[str, Sequence[float | None]])

    @property
    def diverged(self) -> bool:
        return self.diverged_at > 0


@dataclass(frozen=True)
class Measure:
    """A number taken of a training: its `name` (a phrase of the catalogue: claims.measure-NAME), whether `more` or
    `less` of it is better, and the size of its steps where it counts something.

    A training that diverged has none, unless the measure `sees_divergence`; nor has one of another `task`, where it is
    a score of that alone.
    """

    name: str
    of: Callable[[Training], float]
    better: Literal["more", "less"] = "more"
    grain: float = 0.0
    sees_divergence: bool = False
    task: str = ""

    def value(self, trial: Training) -> float:
        """The number; NaN where the training has none."""
        return math.nan if trial.diverged and not self.sees_divergence else self.of(trial)

    def merit(self, trial: Training) -> float:
        """The number with the sign that makes more better; what has none is worst."""
        value = self.value(trial)
        return -math.inf if math.isnan(value) else value if self.better == "more" else -value


def metric(name: str) -> Measure:
    """A score of the judging part by its name, at the end of the training."""
    less = name in ("loss", "mae", "rmse", "perplexity")
    better: Literal["more", "less"] = "less" if less else "more"
    return Measure(name, lambda trial: trial.score.get(name, math.nan), better, task=_TASKS.get(name, ""))


_TASKS = {
    "accuracy": "classification", "f1": "classification", "r2": "regression", "mae": "regression", "rmse": "regression",
    "perplexity": "language",
}  # fmt: skip
ACCURACY = metric("accuracy")
R2 = metric("r2")
LOSS = metric("loss")
ACCURACY_OR_NONE = Measure(
    "accuracy-or-none",
    lambda trial: 0.0 if trial.diverged else ACCURACY.of(trial),
    sees_divergence=True,
    task=ACCURACY.task,
)
"""The accuracy; 0 where the training diverged, so that a rate which fails some levels is seen to."""


def last_loss(losses: Sequence[float | None]) -> float:
    """NaN where none was measured."""
    return next((loss for loss in reversed(losses) if loss is not None), math.nan)


TRAIN_LOSS = Measure("train-loss", lambda trial: last_loss(trial.train), "less")
DIVERGED = Measure("diverged", lambda trial: float(trial.diverged), "less", grain=1.0, sees_divergence=True)
GAP = Measure("gap", lambda trial: trial.score.get("loss", math.nan) - last_loss(trial.train), "less")
"""How much larger the loss of unseen samples is than that of the training part in its last epoch."""


def steps_to(target: float) -> Measure:
    """Steps until the mean training loss of an epoch is at most `target`; one epoch more than there were, where it
    never was.

    >>> trial = Training(0, 0.1, {}, [1, 2, 3], [0.9, 0.4, 0.2], [None, None, None], steps_per_epoch=10)
    >>> steps_to(0.5).of(trial), steps_to(0.1).of(trial)
    (20.0, 40.0)
    """

    def steps(trial: Training) -> float:
        reached = (
            epoch for epoch, loss in zip(trial.epochs, trial.train, strict=True) if loss is not None and loss <= target
        )
        last = trial.epochs[-1] if trial.epochs else 0
        return float(next(reached, last + 1) * trial.steps_per_epoch)

    return Measure("steps-to", steps, "less", sees_divergence=True)
