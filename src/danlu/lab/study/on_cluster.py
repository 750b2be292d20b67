"""The trainings of a study on a cluster: stacks as tasks, and what cannot be stacked in lots."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from danlu.base.errors import Fault
from danlu.base.events import Stop
from danlu.base.recipe import Recipe
from danlu.base.words import language
from danlu.data import Dataset
from danlu.lab.cluster.dispatch import Counts, Dispatch, Piece
from danlu.lab.cluster.protocol import Cluster, Lost
from danlu.lab.study.alone import AloneOutcome, Task
from danlu.lab.study.alone_lot import AloneLot, AloneMember, train_lot
from danlu.lab.study.beside import Beside, stack_name
from danlu.lab.study.member_key import MemberKey
from danlu.lab.study.plan import Group, Planned
from danlu.lab.study.samples import stack_folds
from danlu.lab.study.sent_data import DataToSend
from danlu.lab.study.stack_task import StackOutcome, StackTask, train_stack_task
from danlu.train.stack import StackMember, choices, cut_members, times_forms

# So many multiply-adds at least should a stack have, about a second: more and shorter tasks would only keep the
# scheduler busy. Lots are as many for each process, so that none waits long for the last.
_LEAST_WORK = 5e8
_LOTS_EACH = 4


@dataclass(frozen=True)
class StudyCluster:
    """A cluster with what a study on it has to say: `note` hears of workers that are lost."""

    cluster: Cluster
    note: Callable[[Fault], None]
    counts: Counts = field(default_factory=Counts)

    def stacks(
        self,
        group: Group,
        places: Sequence[tuple[Planned, MemberKey]],
        most: int | None,
        order: int | None,
        lacks: Callable[[MemberKey], bool],
        beside: Beside | None,
        done: "Callable[[Sequence[int], StackOutcome], None]",
        asked_to_stop: Callable[[], bool],
    ) -> Stop | Fault | None:
        """Train the stacks of `places` that have a member which is lacked; `done` hears of each, with the places of its
        members. None when all are trained; a fault where a stack could not be."""
        return _Stacks(self, group, places, order, lacks, beside, done, asked_to_stop).carry_out(most)

    def lots(
        self,
        tasks: Sequence[Task],
        told: Callable[[int, AloneOutcome], None],
        asked_to_stop: Callable[[], bool],
    ) -> bool:
        """Carry out the tasks in lots; False when told to break off. `told` hears of each, by its number."""
        data: dict[int, int] = {}
        sent, held = DataToSend(), list[Dataset]()
        for task in tasks:
            if id(task.data) not in data:
                data[id(task.data)] = len(held)
                held.append(sent.of(task.data))
        processes = max(1, self.cluster.resources().processes)
        size = max(1, math.ceil(len(tasks) / (processes * _LOTS_EACH)))

        def lot_of(numbers: Sequence[int]) -> AloneLot:
            members = [AloneMember(tasks[n].recipe, data[id(tasks[n].data)], tasks[n].net) for n in numbers]
            return AloneLot(members, language())

        def took(piece: Piece, outcomes: Sequence[AloneOutcome]) -> Sequence[Piece]:
            stopped = [n for n, outcome in zip(piece.what, outcomes, strict=True) if outcome.stopped]
            for number, outcome in zip(piece.what, outcomes, strict=True):
                if not outcome.stopped:
                    told(number, outcome)
            return [Piece(stopped)] if stopped else []

        def gave_up(piece: Piece, lost: Lost) -> Sequence[Piece]:
            if len(piece.what) > 1:
                return [Piece([number]) for number in piece.what]
            told(piece.what[0], AloneOutcome({}, failure=str(_reason(lost))))
            return []

        dispatch = Dispatch(
            self.cluster, train_lot, held, lot_of, took, gave_up, asked_to_stop, self.note, self.counts
        )  # fmt: skip
        return dispatch.carry_out(
            [Piece(list(range(n, min(n + size, len(tasks))))) for n in range(0, len(tasks), size)]
        )


def _reason(lost: Lost) -> Fault:
    if lost.why == "error":
        return Fault("cluster.task-failed", {"reason": lost.said})
    return Fault("cluster.worker-out-of-memory" if lost.why == "memory" else "cluster.worker-died")


@dataclass
class _Stacks:
    study: StudyCluster
    group: Group
    places: Sequence[tuple[Planned, MemberKey]]
    order: int | None
    lacks: Callable[[MemberKey], bool]
    beside: Beside | None
    done: Callable[[Sequence[int], StackOutcome], None]
    asked_to_stop: Callable[[], bool]
    failed: Fault | None = None

    def carry_out(self, most: int | None) -> Stop | Fault | None:
        stacks = [stack for stack in self._cut(most) if any(self.lacks(self.places[n][1]) for n in stack)]
        self._number = {id(planned): number for number, planned in enumerate(self.group.planned)}
        timed = times_forms(self.group.planned[0].setup.net)
        dispatch = Dispatch(
            self.study.cluster, train_stack_task, DataToSend().planned(self.group.planned), self._task, self._took,
            self._gave_up, lambda: self.failed is not None or self.asked_to_stop(), self.study.note, self.study.counts,
        )  # fmt: skip
        whole = dispatch.carry_out([Piece(stack, len(stack) if timed else None) for stack in stacks])
        return self.failed or (None if whole else Stop("interrupted"))

    def _cut(self, most: int | None) -> list[list[int]]:
        setup, resources = self.group.planned[0].setup, self.study.cluster.resources()
        each = setup.horizon.steps * setup.description.multiply_adds * (setup.recipe.train.batch_size or 1)
        worth = max(1, int(len(self.places) * each / _LEAST_WORK))
        workers = choices().once("workers", lambda: max(1, min(resources.slots, worth)))
        planned, key = self.places[0]
        return cut_members(
            planned.net(key.seed),
            [StackMember(_recipe(planned, key), key.fold, self.order) for planned, key in self.places],
            stack_folds(self.group.planned[0].folds, setup.device, setup.dtype),
            device=setup.device,
            most_members=most,
            workers=workers,
            room=resources.memory or None,
        )

    def _task(self, stack: Sequence[int]) -> StackTask:
        """As it is when it is sent, with all that has been decided by then."""
        keys = [self.places[n][1] for n in stack]
        members = [(self._number[id(planned)], key.seed, key.fold) for planned, key in (self.places[n] for n in stack)]
        task = self.group.planned[0].setup.data.task
        metric, points = (self.beside.metric_of(task), self.beside.points()) if self.beside else ("loss", 1)
        recipes = [self.places[n][0].setup.recipe for n in stack]
        return StackTask(members, choices().all(), self.order, stack_name(keys, recipes), metric, points)

    def _took(self, piece: Piece, outcome: StackOutcome) -> Sequence[Piece]:
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

    def _gave_up(self, piece: Piece, lost: Lost) -> Sequence[Piece]:
        if lost.why == "error":
            self.failed = _reason(lost)
            return []
        return self._smaller(piece)

    def _smaller(self, piece: Piece) -> Sequence[Piece]:
        """In halves, as stacks are that memory does not hold here."""
        half = len(piece.what) // 2
        if not half:
            self.failed = Fault("study.stack-too-large")
            return []
        return [Piece(part) for part in (piece.what[:half], piece.what[half:])]


def _recipe(planned: Planned, key: MemberKey) -> Recipe:
    return planned.recipe(key.seed, planned.folds[key.fold])
