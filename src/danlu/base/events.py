"""What the loop tells its listeners: plain facts, in the order in which they happen.

A listener is any callable of one event. It may answer with a `Stop`; only the loop acts on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from danlu.base.records import Score

if TYPE_CHECKING:  # who only looks at a run has no need of torch
    from torch import Tensor


@dataclass(frozen=True)
class TrainingStarted:
    """Before the first step, or before going on: `epoch` and `step` are those already done."""

    epoch: int
    step: int
    epochs: int
    steps_per_epoch: int


class StepDone(NamedTuple):
    """After each update. A named tuple, because one is made every step. The loss and norm stay tensors (0-d): reading
    them would make a GPU wait."""

    epoch: int  # counted from 1
    step: int  # counted from 1 over the whole training
    loss: "Tensor"  # mean loss of the batch, before the update
    lr: float
    norm: "Tensor | None"  # norm of the gradient before clipping, where clipping measured it
    samples: int


@dataclass(frozen=True)
class EpochDone:
    """After an epoch's last step and the validation that follows it."""

    epoch: int
    step: int
    train: Score
    validation: Score | None
    best: bool  # the validation score is the best so far


@dataclass(frozen=True)
class Stop:
    """A listener's wish to end. Of danlu's own, `reason` "interrupted" saves and can go on, "early" ends for good;
    one of a user's ends for good too, and its reason is told.
    """

    reason: str
    why: str = ""


Event = TrainingStarted | StepDone | EpochDone
Listener = Callable[[Event], Stop | None]
