"""The trainings of a study on a cluster: stacks as tasks, and what cannot be stacked in lots."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from danlu.base.errors import Fault
from danlu.base.events import Stop
from danlu.base.recipe import Recipe
from danlu.base.words import language
from danlu.stack import Elsewhere, StackMember, Standing, choices, cut_members, times_forms
from danlu.study.alone import AloneOutcome
from danlu.study.alone_lot import AloneLot, train_lot
from danlu.study.beside import Beside, stack_name
from danlu.study.cluster.dispatch import Counts, Dispatch, Held, WorkItem
from danlu.study.cluster.protocol import Cluster, Lost, Work
from danlu.study.member_key import MemberKey
from danlu.study.plan import Group, Plan, Planned
from danlu.study.samples import stack_folds
from danlu.study.sent_data import DataToSend
from danlu.study.stack_task import StackOutcome, StackTask, train_stack_task

# So many multiply-adds at least should a stack have, about a second: more and shorter tasks would only keep the
# scheduler busy. Lots are as many for each process, so that none waits long for the last.
_LEAST_WORK = 5e8
_LOTS_EACH = 4

Places = Sequence[tuple[Planned, MemberKey]]


class StackLostError(Exception):
    """A stack that no worker could train, because of `fault`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass
class StudyCluster:
    """A cluster on which the trainings of one plan after another are carried out; what all tasks of a plan need is sent
    to it once. `note` hears of workers that are lost."""

    cluster: Cluster
    note: Callable[[Fault], None]
    counts: Counts = field(default_factory=Counts)
    _plan: Plan | None = None

    def share(self, plan: Plan) -> None:
        """From now on the tasks are of this plan."""
        if plan is not self._plan:
            self._plan = plan
            self._held = Held(DataToSend().planned(plan.planned))
            self._numbers = {id(planned): number for number, planned in enumerate(plan.planned)}

    def member(self, planned: Planned, key: MemberKey) -> tuple[int, int, int]:
        """A member as a task names it."""
        return self._numbers[id(planned)], key.seed, key.fold

    def dispatch(
        self,
        work: Work,
        sent: Callable[[Any], Any],
        took: Callable[[WorkItem, Any], Sequence[WorkItem]],
        gave_up: Callable[[WorkItem, Lost], Sequence[WorkItem]],
        asked_to_stop: Callable[[], bool],
    ) -> Dispatch:
        """What sends pieces of this plan's work to the cluster."""
        return Dispatch(
            self.cluster, work, self._held, sent, took, gave_up, asked_to_stop, self.note, self.counts
        )  # fmt: skip

    def workers(self, group: Group, members: int) -> int:
        """How many stacks of a group are trained side by side: decided once, as long as the study goes on."""
        setup, slots = group.planned[0].setup, self.cluster.resources().slots
        each = setup.horizon.steps * setup.description.multiply_adds * (setup.recipe.train.batch_size or 1)
        worth = int(members * each / _LEAST_WORK)
        return choices().once("workers", lambda: max(1, min(slots, worth)))

    def stacks(
        self,
        group: Group,
        places: Places,
        most: int | None,
        order: int | None,
        lacks: Callable[[MemberKey], bool],
        beside: Beside | None,
        done: Callable[[Sequence[int], StackOutcome], None],
        asked_to_stop: Callable[[], bool],
    ) -> Stop | Fault | None:
        """Train the stacks of `places` that have a member which is lacked; `done` hears of each, with the places of its
        members. None when all are trained; a fault where a stack could not be."""
        setup, (planned, key) = group.planned[0].setup, places[0]
        cut = cut_members(
            planned.net(key.seed),
            [StackMember(_recipe(planned, key), key.fold, order) for planned, key in places],
            stack_folds(group.planned[0].folds, setup.device, setup.dtype),
            device=setup.device,
            most_members=most,
            workers=self.workers(group, len(places)),
            room=self.cluster.resources().memory or None,
        )
        stacks = _Stacks(self, group, places, order, asked_to_stop, beside)
        return stacks.carry_out([stack for stack in cut if any(lacks(places[n][1]) for n in stack)], done)

    def elsewhere(
        self, group: Group, places: Places, order: int | None, asked_to_stop: Callable[[], bool]
    ) -> Elsewhere:
        """What trains stacks of `places` on the cluster up to an epoch. StackLostError where one cannot be."""

        def advanced(asked: Sequence[tuple[list[int], Standing | None]], until: int) -> list[Standing] | Stop:
            found: dict[int, Standing] = {}
            numbers = {id(stack): number for number, (stack, _) in enumerate(asked)}

            def done(stack: Sequence[int], outcome: StackOutcome) -> None:
                assert outcome.standing is not None
                found[numbers[id(stack)]] = outcome.standing

            begun = {id(stack): standing for stack, standing in asked}
            stacks = _Stacks(self, group, places, order, asked_to_stop, None, begun, until)
            ended = stacks.carry_out([stack for stack, _ in asked], done)
            if isinstance(ended, Fault):
                raise StackLostError(ended)
            return ended or [found[number] for number in range(len(asked))]

        return advanced

    def lots(
        self, places: Places, told: Callable[[int, AloneOutcome], None], asked_to_stop: Callable[[], bool]
    ) -> bool:
        """Train members one by one, in lots; False when told to break off. `told` hears of each, by its place."""
        processes = max(1, self.cluster.resources().processes)
        size = max(1, math.ceil(len(places) / (processes * _LOTS_EACH)))

        def lot_of(numbers: Sequence[int]) -> AloneLot:
            return AloneLot([self.member(*places[number]) for number in numbers], language())

        def took(piece: WorkItem, outcomes: Sequence[AloneOutcome]) -> Sequence[WorkItem]:
            stopped = [n for n, outcome in zip(piece.what, outcomes, strict=True) if outcome.stopped]
            for number, outcome in zip(piece.what, outcomes, strict=True):
                if not outcome.stopped:
                    told(number, outcome)
            return [WorkItem(stopped)] if stopped else []

        def gave_up(piece: WorkItem, lost: Lost) -> Sequence[WorkItem]:
            if len(piece.what) > 1:
                return [WorkItem([number]) for number in piece.what]
            told(piece.what[0], AloneOutcome({}, failure=str(_reason(lost))))
            return []

        numbers = range(len(places))
        dispatch = self.dispatch(train_lot, lot_of, took, gave_up, asked_to_stop)
        return dispatch.carry_out([WorkItem(list(numbers[first : first + size])) for first in numbers[::size]])


def _reason(lost: Lost) -> Fault:
    if lost.why == "error":
        return Fault("cluster.task-failed", {"reason": lost.said})
    return Fault("cluster.worker-out-of-memory" if lost.why == "memory" else "cluster.worker-died")


@dataclass
class _Stacks:
    study: StudyCluster
    group: Group
    places: Places
    order: int | None
    asked_to_stop: Callable[[], bool]
    beside: Beside | None
    begun: Mapping[int, Standing | None] = field(default_factory=dict[int, Standing | None])
    until: int | None = None
    failed: Fault | None = None

    def carry_out(
        self, stacks: Sequence[Sequence[int]], done: Callable[[Sequence[int], StackOutcome], None]
    ) -> Stop | Fault | None:
        self.done = done
        timed = times_forms(self.group.planned[0].setup.net)
        dispatch = self.study.dispatch(
            train_stack_task, self._task, self._took, self._gave_up,
            lambda: self.failed is not None or self.asked_to_stop(),
        )  # fmt: skip
        whole = dispatch.carry_out([WorkItem(stack, len(stack) if timed else None) for stack in stacks])
        return self.failed or (None if whole else Stop("interrupted"))

    def _task(self, stack: Sequence[int]) -> StackTask:
        """As it is when it is sent, with all that has been decided by then."""
        members = [self.study.member(*self.places[n]) for n in stack]
        first = self.study.member(self.group.planned[0], self.places[0][1])[0]
        task = self.group.planned[0].setup.data.task
        metric, points = (self.beside.metric_of(task), self.beside.points()) if self.beside else ("loss", 1)
        name = stack_name([self.places[n][1] for n in stack], [self.places[n][0].setup.recipe for n in stack])
        begun = self.begun.get(id(stack))
        return StackTask(members, first, choices().all(), self.order, name, metric, points, begun, self.until)

    def _took(self, piece: WorkItem, outcome: StackOutcome) -> Sequence[WorkItem]:
        if outcome.stopped:  # its worker was told to end, not by us
            return [piece]
        if outcome.short:
            return self._smaller(piece)
        if outcome.fault is not None:
            self.failed = outcome.fault
            return []
        if not choices().adopted(outcome.made or {}):  # another stack was back first, which had decided otherwise
            return [piece]
        self.done(piece.what, outcome)
        return []

    def _gave_up(self, piece: WorkItem, lost: Lost) -> Sequence[WorkItem]:
        if lost.why == "error":
            self.failed = _reason(lost)
            return []
        return self._smaller(piece)

    def _smaller(self, piece: WorkItem) -> Sequence[WorkItem]:
        """In halves, as stacks are that memory does not hold here."""
        half = len(piece.what) // 2
        if not half or self.until is not None:
            self.failed = Fault("study.stack-too-large")
            return []
        return [WorkItem(part) for part in (piece.what[:half], piece.what[half:])]


def _recipe(planned: Planned, key: MemberKey) -> Recipe:
    return planned.recipe(key.seed, planned.folds[key.fold])
