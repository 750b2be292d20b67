"""What the loop tells its listeners: plain facts, in the order in which they happen.

A listener is any callable of one event. It may answer with a `Stop`; only the loop acts on it. Of a stack of K models
the same events are told, with an axis of members: where one training has a number, a stack has a tensor [K].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from danlu.base.records import Score

if TYPE_CHECKING:  # who only looks at a run has no need of torch
    from torch import Tensor

Scores = TypeVar("Scores", bound=Mapping[str, Any])
"""A `Score`, or the `MemberScores` of a stack."""

MemberScores = dict[str, "Tensor"]
"""Numbers of the members of a stack by name, each float64 [K]; NaN where a member has none."""


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
    loss: "Tensor"  # mean loss of the batch, before the update; of a stack [K]
    lr: Any  # a float; of a stack [K] where its members differ
    norm: "Tensor | None"  # norm of the gradient before clipping, where clipping measured it; of a stack [K]
    samples: int  # of the batch; of a stack, of a member's


@dataclass(frozen=True)
class EpochDone(Generic[Scores]):
    """After an epoch's last step and the validation that follows it."""

    epoch: int
    step: int
    train: Scores
    validation: Scores | None
    best: Any  # whether the validation score is the best so far; of a stack a list of K answers


@dataclass(frozen=True)
class Stop:
    """A listener's wish to end. Of danlu's own, `reason` "interrupted" saves and can go on, "early" ends for good;
    one of a user's ends for good too, and its reason is told.
    """

    reason: str
    why: str = ""


class StopTraining(BaseException):
    """Raised by the `on_finding` of `danlu.watch`: the watched block ends once the step under way is done, and the
    program goes on behind it. No Exception, so that a loop which passes over errors does not pass over this.
    """


Event = TrainingStarted | StepDone | EpochDone[Score]
Listener = Callable[[Event], Stop | None]
StackEvent = TrainingStarted | StepDone | EpochDone[MemberScores]
StackListener = Callable[[StackEvent], Stop | None]
