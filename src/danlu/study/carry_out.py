"""The members of a study, trained: stacks at once, the rest singly; each told of as soon as it is done."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from danlu.base.errors import DanluError, Fault
from danlu.base.events import StackListener, Stop
from danlu.base.memory import is_out_of_memory
from danlu.base.recipe import Recipe
from danlu.base.seeds import cores
from danlu.base.words import language
from danlu.data import Dataset
from danlu.run.settings.draft import CUSTOM
from danlu.stack import Halving, RunningStack, StackMember, Trained, train_members
from danlu.store.records import MemberDone, MemberFailed
from danlu.study.alone import AloneOutcome, Task, train_alone
from danlu.study.beside import Beside
from danlu.study.costs import decide, jobs_for
from danlu.study.member_key import MemberKey
from danlu.study.on_cluster import StackLostError, StudyCluster
from danlu.study.plan import Group, Plan, Planned
from danlu.study.processes import Jobs, in_processes
from danlu.study.samples import scoring_of, stack_folds
from danlu.study.stack_task import StackOutcome


@dataclass(frozen=True)
class Race:
    """Members of a stack make way for better ones: `keep` says, after each epoch in `rungs`, which of them go on.

    It is given those still in training and their validation scores by name, in the same order.
    """

    rungs: Sequence[int]
    keep: "Callable[[Sequence[MemberKey], dict[str, list[float]]], Sequence[MemberKey]]"


Places = Sequence[tuple[Planned, MemberKey]]
Tell = Callable[[MemberDone | MemberFailed], None]
"""Hears of every member that is done."""


@dataclass(frozen=True)
class Order:
    """What is still to be trained, and how."""

    plan: Plan
    done: frozenset[str]
    members: Path
    tell: Tell
    asked_to_stop: Callable[[], bool]
    share_order: bool = False
    race: Race | None = None
    jobs: int | None = None
    before: Sequence[Sequence[int]] = ()  # the seeds that earlier sessions began with, and those each later one added
    beside: Beside | None = None
    cluster: StudyCluster | None = None
    _told: set[str] = field(default_factory=set[str])

    def carry_out(self, begins: Callable[[Group, int], None]) -> bool:
        """Train all that is not done; False when told to break off. `begins` hears of each group and its members.

        What cannot be stacked comes last: one after another or in processes, whichever is faster.
        """
        alone: list[tuple[Group, Places]] = []
        if self.cluster is not None:
            self.cluster.share(self.plan)
        for group in self.plan.groups:
            waves = [wave for wave in self._waves(group) if any(self._lacks(place) for _, place in wave)]
            places = [pair for wave in waves for pair in wave if self._lacks(pair[1])]
            if not places:
                continue
            decided, most = self._decided(group)
            if self.race and not group.alone and decided.alone:
                decided, most = group, 1  # a stack of one is as fast as fit, and can be ended early
            if not decided.alone:
                begins(decided, len(places))
                outcome: Stop | Fault | None = None
                for wave in waves:
                    outcome = outcome or self._stacked(group, wave, most)
                if isinstance(outcome, Stop):
                    return False
                if outcome is None:
                    continue
                decided, places = replace(group, alone=outcome), [pair for pair in places if self._lacks(pair[1])]
            alone.append((decided, places))
        return not alone or self._singly(alone, begins)

    def _decided(self, group: Group) -> tuple[Group, int | None]:
        """How a group is trained; one by one where memory is out already while stacks are timed."""
        try:
            return decide(group, self.plan.seeds, self.plan.folds)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return replace(group, alone=Fault("study.stack-too-large")), None

    def _waves(self, group: Group) -> Iterator[Places]:
        """The group's members, those of seeds that were added later apart: they are stacked as they were, done or not,
        because in stacks of other sizes the last digits differ."""
        known = [seed for seeds in self.before for seed in seeds]
        new = [seed for seed in self.plan.seeds if seed not in known]
        for seeds in [*self.before, new]:
            yield [
                (planned, MemberKey(planned.cell.factors, seed, fold))
                for planned in group.planned
                for seed in seeds
                for fold in range(self.plan.folds)
            ]

    def _lacks(self, place: MemberKey) -> bool:
        return place.key not in self.done and place.key not in self._told

    def _stacked(self, group: Group, places: Places, most: int | None) -> Stop | Fault | None:
        """None when all are trained; a fault where the stack could not be: those left are to be tried singly."""
        if self.cluster is not None and self.race is None:
            return self._stacked_there(self.cluster, group, places, most)
        setup = group.planned[0].setup
        nets: dict[tuple[int, int], nn.Module] = {}
        for planned, place in places:
            if (id(planned), place.seed) not in nets:
                nets[id(planned), place.seed] = planned.net(place.seed)
        order = self.plan.seeds[0] if self.share_order else None

        def finished(numbers: Sequence[int], trained: Trained) -> None:
            for column, number in enumerate(numbers):
                if not self._lacks(places[number][1]):
                    continue
                self._told.add(places[number][1].key)
                planned, place = places[number]
                self.tell(_record(planned, place, trained, column))
            if self.beside:
                self.beside.told(*named(numbers))

        def named(numbers: Sequence[int]) -> tuple[list[MemberKey], list[Recipe]]:
            return [places[number][1] for number in numbers], [places[number][0].setup.recipe for number in numbers]

        def listeners(stack: RunningStack) -> list[StackListener]:
            return self.beside.listeners(stack, *named(stack.places), setup.data.task) if self.beside else []

        try:
            trained = train_members(
                [nets[id(planned), place.seed] for planned, place in places],
                [StackMember(_recipe(planned, place), place.fold, order) for planned, place in places],
                stack_folds(group.planned[0].folds, setup.device, setup.dtype),
                **scoring_of(setup.data),
                device=setup.device,
                most_members=most,
                workers=None if self.cluster is None else self.cluster.workers(group, len(places)),
                wanted={number for number, (_, place) in enumerate(places) if self._lacks(place)},
                halving=self._halving(group, places, order),
                listeners=listeners,
                finished=finished,
                asked_to_stop=self.asked_to_stop,
            )
        except StackLostError as lost:
            return lost.fault
        except DanluError:
            raise
        except Exception as error:  # noqa: BLE001  (nets of a user's can raise anything)
            if is_out_of_memory(error):
                return Fault("study.stack-too-large")
            return Fault("study.stack-failed", {"reason": f"{type(error).__name__}: {error}"})
        return trained if isinstance(trained, Stop) else None

    def _halving(self, group: Group, places: Places, order: int | None) -> Halving | None:
        """How members of a group make way for better ones, here or on the cluster; None where they do not."""
        race = self.race
        if race is None:
            return None

        def kept(numbers: Sequence[int], scores: dict[str, torch.Tensor]) -> list[int]:
            number_of = {places[number][1].key: number for number in numbers}
            values = {name: values.tolist() for name, values in scores.items()}
            return [number_of[place.key] for place in race.keep([places[n][1] for n in numbers], values)]

        there = self.cluster and self.cluster.elsewhere(group, places, order, self.asked_to_stop)
        return Halving(race.rungs, kept, there)

    def _stacked_there(
        self, cluster: StudyCluster, group: Group, places: Places, most: int | None
    ) -> Stop | Fault | None:
        """The same on a cluster."""

        def finished(numbers: Sequence[int], outcome: StackOutcome) -> None:
            if self.beside:
                for record in outcome.records:
                    self.beside.write(record)
            for column, number in enumerate(numbers):
                planned, place = places[number]
                if not self._lacks(place):
                    continue
                self._told.add(place.key)
                score = {name: values[column] for name, values in outcome.score.items()}
                ends = (outcome.epochs[column], outcome.chosen[column])
                self.tell(_member_done(planned, place, score, outcome.diverged[column], ends))
            if self.beside:
                keys = [places[number][1] for number in numbers]
                self.beside.told(keys, [places[number][0].setup.recipe for number in numbers])

        order = self.plan.seeds[0] if self.share_order else None
        return cluster.stacks(group, places, most, order, self._lacks, self.beside, finished, self.asked_to_stop)

    def _singly(self, groups: Sequence[tuple[Group, Places]], begins: Callable[[Group, int], None]) -> bool:
        """Each member in a run folder of its own, as `fit` trains it; its test part is out of reach."""
        if self.cluster is not None:
            jobs = Jobs(1, Fault("cluster.jobs", {"cluster": self.cluster.cluster.name}))
        else:
            jobs = jobs_for([(group, len(places)) for group, places in groups], self.jobs)
        whys = "; ".join(dict.fromkeys(str(group.alone) for group, _ in groups))
        places = [pair for _, pairs in groups for pair in pairs]
        merged = [planned for group, _ in groups for planned in group.planned]
        begins(Group(merged, Fault("study.singly", {"reason": whys, "jobs": jobs.why})), len(places))

        def told(number: int, outcome: AloneOutcome) -> None:
            planned, place = places[number]
            if self.beside:
                self.beside.course(place, planned.setup.recipe, outcome.course, planned.setup.data.task)
            if outcome.failure:
                self.tell(MemberFailed(factors=place.factors, seed=place.seed, fold=place.fold, reason=outcome.failure))
            else:
                ends = (outcome.epochs, outcome.scored_epoch)
                self.tell(_member_done(*places[number], outcome.score, outcome.diverged, ends))

        if self.cluster is not None:
            return self.cluster.lots(places, told, self.asked_to_stop)
        tasks = [self._task(planned, place, jobs.count) for planned, place in places]
        if jobs.count > 1:
            return in_processes(tasks, jobs.count, told, self.asked_to_stop)
        for number, task in enumerate(tasks):
            outcome = AloneOutcome({}, stopped=True) if self.asked_to_stop() else train_alone(task)
            if outcome.stopped:
                return False
            told(number, outcome)
        return True

    def _task(self, planned: Planned, place: MemberKey, jobs: int) -> Task:
        data = without_test(planned.folds[place.fold])
        name = "-".join(str(level) for level in (*place.factors.values(), f"seed{place.seed}", f"fold{place.fold}"))
        name = "".join(sign if sign.isalnum() or sign in "-._" else "-" for sign in name)
        # Long names are cut and signs replaced, so that two could come out alike.
        folder = self.members / f"{name[:70]}-{hashlib.sha256(place.key.encode()).hexdigest()[:8]}"
        net = planned.net(place.seed) if planned.setup.recipe.net.name == CUSTOM else None
        threads = max(1, cores() // jobs) if jobs > 1 else None
        return Task(_recipe(planned, place), data, net, folder, language(), self.members / "stop", threads)


def without_test(data: Dataset) -> Dataset:
    """The same data with an empty test part: nothing can be chosen by what nobody sees."""
    return replace(data, sizes={**data.sizes, "test": 0})


def _recipe(planned: Planned, place: MemberKey) -> Recipe:
    return planned.recipe(place.seed, planned.folds[place.fold])


def _record(planned: Planned, place: MemberKey, trained: Trained, column: int) -> MemberDone:
    score = {name: float(values[column]) for name, values in trained.score.items()}
    ends = (int(trained.epochs[column]), int(trained.chosen[column]))
    return _member_done(planned, place, score, int(trained.diverged[column]), ends, int(trained.dropped[column]))


def _member_done(
    planned: Planned, place: MemberKey, score: dict[str, float], diverged: int, ends: tuple[int, int], dropped: int = 0
) -> MemberDone:
    """`ends`: the epochs done, and the one whose weights were scored."""
    return MemberDone(
        factors=place.factors,
        seed=place.seed,
        fold=place.fold,
        score=score,
        diverged=diverged > 0,
        diverged_at=diverged,
        epochs=ends[0],
        scored_epoch=ends[1],
        dropped_at=dropped,
        samples=planned.folds[place.fold].sizes["validation"],
    )
