"""The members of a study, trained: stacks at once, the rest one after another; each told of as soon as it is done."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from danlu.base.events import Stop
from danlu.data import Dataset
from danlu.lab.draft import CUSTOM
from danlu.lab.fit import fit, resume
from danlu.lab.run import Run
from danlu.lab.study.costs import decide
from danlu.lab.study.factors import Level
from danlu.lab.study.plan import Group, Plan, Planned
from danlu.lab.study.samples import stack_folds
from danlu.store.run_folder import RunFolder
from danlu.train.stack import Member as StackMember
from danlu.train.stack import Trained, train_members


@dataclass(frozen=True)
class Place:
    """Which member: a combination of levels, a seed, a fold."""

    factors: dict[str, Level]
    seed: int
    fold: int

    @property
    def key(self) -> str:
        """The same for the same member in every process."""
        return f"{sorted(self.factors.items(), key=str)} {self.seed} {self.fold}"


Tell = Callable[[dict[str, Any]], None]
"""Hears of every member that is done, as a record of the journal."""


@dataclass(frozen=True)
class Order:
    """What is still to be trained, and how."""

    plan: Plan
    done: frozenset[str]
    members: Path
    tell: Tell
    asked_to_stop: Callable[[], bool]
    share_order: bool = False

    def carry_out(self, begins: Callable[[Group, int], None]) -> bool:
        """Train all that is not done; False when told to break off. `begins` hears of each group and its members."""
        for group in self.plan.groups:
            places = list(self._places(group))
            if not places:
                continue
            decided, most = decide(group, self.plan.seeds, self.plan.folds)
            begins(decided, len(places))
            carried = self._one_by_one(places) if decided.alone else self._stacked(group, places, most)
            if not carried:
                return False
        return True

    def _places(self, group: Group) -> "Iterator[tuple[Planned, Place]]":
        for planned in group.planned:
            for seed in self.plan.seeds:
                for fold in range(self.plan.folds):
                    place = Place(planned.cell.factors, seed, fold)
                    if place.key not in self.done:
                        yield planned, place

    def _stacked(self, group: Group, places: "Sequence[tuple[Planned, Place]]", most: int | None) -> bool:
        setup = group.planned[0].setup
        nets: dict[tuple[int, int], nn.Module] = {}
        for planned, place in places:
            if (id(planned), place.seed) not in nets:
                nets[id(planned), place.seed] = planned.net(place.seed)
        order = self.plan.seeds[0] if self.share_order else None
        scale = setup.data.target_scale if setup.data.task == "regression" else None

        def finished(numbers: Sequence[int], trained: Trained) -> None:
            for column, number in enumerate(numbers):
                self.tell(_record(places[number][1], trained, column))

        trained = train_members(
            [nets[id(planned), place.seed] for planned, place in places],
            [StackMember(planned.recipe(place.seed), place.fold, order) for planned, place in places],
            stack_folds(group.planned[0].folds, setup.device, setup.dtype),
            task=setup.data.task,
            outputs=setup.data.outputs,
            device=setup.device,
            scale=scale,
            most_members=most,
            finished=finished,
            asked_to_stop=self.asked_to_stop,
        )
        return not isinstance(trained, Stop)

    def _one_by_one(self, places: "Sequence[tuple[Planned, Place]]") -> bool:
        for planned, place in places:
            if self.asked_to_stop():
                return False
            run = self._alone(planned, place)
            record = run.score.get("validation", {})
            finite = bool(torch.isfinite(torch.tensor(list(record.values()))).all())
            self.tell(_as_record(place, record, 0 if finite else run.steps, run.epochs))
        return True

    def _alone(self, planned: Planned, place: Place) -> Run:
        """One member as `fit` trains it, in a run folder of its own; its test part is out of reach."""
        data = without_test(planned.folds[place.fold])
        name = "-".join(str(level) for level in (*place.factors.values(), f"seed{place.seed}", f"fold{place.fold}"))
        folder = self.members / "".join(sign if sign.isalnum() or sign in "-._" else "-" for sign in name)[:90]
        net = planned.net(place.seed) if planned.setup.recipe.net.name == CUSTOM else None
        if RunFolder(folder).recipe.is_file():
            return resume(folder, net=net, data=data, progress=False)
        return fit(net, data, recipe=planned.recipe(place.seed), folder=folder, progress=False)


def without_test(data: Dataset) -> Dataset:
    """The same data with an empty test part: nothing can be chosen by what nobody sees."""
    return replace(data, sizes={**data.sizes, "test": 0})


def _record(place: Place, trained: Trained, column: int) -> dict[str, Any]:
    score = {name: float(values[column]) for name, values in trained.score.items()}
    return _as_record(place, score, int(trained.diverged[column]), int(trained.epochs[column]))


def _as_record(place: Place, score: dict[str, float], diverged: int, epochs: int) -> dict[str, Any]:
    return {
        "kind": "member",
        "factors": place.factors,
        "seed": place.seed,
        "fold": place.fold,
        "score": score,
        "diverged": diverged > 0,
        "diverged_at": diverged,
        "epochs": epochs,
    }
