"""A stack as it is sent to a worker, trained there, and sent back."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from danlu.base.errors import DanluError, Fault
from danlu.base.events import StackListener, Stop
from danlu.base.memory import is_out_of_memory
from danlu.base.seeds import one_thread
from danlu.stack import Choices, RunningStack, StackMember, Standing, choosing_here, train_stack
from danlu.store.records import Record
from danlu.study.alone import BUSY
from danlu.study.cluster.protocol import Gone
from danlu.study.member_curves import MemberCurves
from danlu.study.member_key import MemberKey
from danlu.study.plan import Planned
from danlu.study.samples import scoring_of, stack_folds


@dataclass(frozen=True)
class StackTask:
    """Which members: of each the number of its combination, its seed and its fold; `first` is the combination by whose
    data all are scored.

    `choices` are those that the study has made; `order` the seed of the order that all share, None: each its own;
    `metric` and `points` those of the curves that come back, of the name `name`. A stack that is trained up to an epoch
    goes on from where it has `begun` to that, `until`.
    """

    members: Sequence[tuple[int, int, int]]
    first: int
    choices: Mapping[str, Any]
    order: int | None
    name: str
    metric: str
    points: int
    begun: Standing | None = None
    until: int | None = None


@dataclass(frozen=True)
class StackOutcome:
    """What came of a stack: of each member the numbers that `Trained` has, the records of its curves, and the choices
    that were made anew; or why there is nothing: a `fault`, or memory was `short`, or nobody wanted it any more.
    `standing` is where a stack stands that is not at its end; `seconds` are those of the whole task.
    """

    score: Mapping[str, Sequence[float]]
    epochs: Sequence[int] = ()
    chosen: Sequence[int] = ()
    diverged: Sequence[int] = ()
    dropped: Sequence[int] = ()
    records: Sequence[Record] = ()
    made: Mapping[str, Any] | None = None
    seconds: float = 0.0
    fault: Fault | None = None
    short: bool = False
    stopped: bool = False
    standing: Standing | None = None


def train_stack_task(planned: Sequence[Planned], task: StackTask, gone: Gone) -> StackOutcome:
    """Train a stack in this thread of a worker, until `gone` says that nobody waits for it."""
    choices, records, begin = Choices(task.choices), list[Record](), time.perf_counter()
    try:
        with choosing_here(choices), one_thread():
            stack = _trained(planned, task, records, gone)
    except DanluError as error:
        return StackOutcome({}, fault=error.faults[0])
    except Exception as error:  # noqa: BLE001  (nets of a user's can raise anything)
        if is_out_of_memory(error):
            return StackOutcome({}, short=True)
        reason = {"reason": f"{type(error).__name__}: {error}"}
        return StackOutcome({}, fault=Fault("study.stack-failed", reason))
    if isinstance(stack, Stop):
        return StackOutcome({}, stopped=True)
    if task.until is not None:
        return StackOutcome({}, made=choices.unsaid(), seconds=time.perf_counter() - begin, standing=Standing.of(stack))
    trained = stack.trained()
    return StackOutcome(
        {name: values.tolist() for name, values in trained.score.items()},
        trained.epochs.tolist(), trained.chosen.tolist(), trained.diverged.tolist(), trained.dropped.tolist(),
        records, choices.unsaid(), time.perf_counter() - begin,
    )  # fmt: skip


def _trained(planned: Sequence[Planned], task: StackTask, records: list[Record], gone: Gone) -> RunningStack | Stop:
    setup = planned[task.first].setup
    keys = [MemberKey(planned[number].cell.factors, seed, fold) for number, seed, fold in task.members]
    nets: dict[tuple[int, int], nn.Module] = {}
    with BUSY:  # first weights are drawn from generators that all threads share
        for number, seed, _ in task.members:
            if (number, seed) not in nets:
                nets[number, seed] = planned[number].net(seed)

    def listeners(stack: RunningStack) -> list[StackListener]:
        if task.until is not None:
            return []
        return [MemberCurves(stack, task.name, keys, task.metric, task.points, records.append)]

    return train_stack(
        [nets[number, seed] for number, seed, _ in task.members],
        [
            StackMember(planned[number].recipe(seed, planned[number].folds[fold]), fold, task.order)
            for number, seed, fold in task.members
        ],
        stack_folds(planned[task.first].folds, setup.device, setup.dtype),
        **scoring_of(setup.data),
        device=setup.device,
        listeners=listeners,
        asked_to_stop=gone,
        begun=task.begun,
        until=task.until,
    )
