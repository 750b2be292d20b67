"""What a group of trainings will cost: timed over a few steps, which also decides whether it is stacked."""

import hashlib
import itertools
import math
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from danlu.base.errors import Fault
from danlu.base.events import Event, StepDone
from danlu.base.seeds import preserved_randomness, use_threads, wait_for
from danlu.run.batches import training_batches
from danlu.run.building import dtype_of
from danlu.run.engines import module_engine
from danlu.stack import StackMember, StackTiming, choices, faster_stacked
from danlu.study.plan import Group, Plan, Planned
from danlu.study.processes import Jobs, chosen_jobs
from danlu.study.samples import stack_folds
from danlu.train.engine import Batch
from danlu.train.loop import train
from danlu.train.progress import FewSteps, unscored

# Below so many multiply-adds in all, timing would take longer than what it could save.
_WORTH_TIMING = 2e10
_STEPS = 9
_TIMED_GROUPS = 4
# A member's weights, gradients, velocity and one more state as large as they.
_COPIES = 4


def timed(group: Group, seeds: Sequence[int], folds: int) -> StackTiming:
    """Seconds a step and member of the group's first members, stacked and alone."""
    places = list(itertools.product(group.planned, seeds, range(folds)))[:64]
    setup = group.planned[0].setup
    return faster_stacked(
        [planned.net(seed) for planned, seed, _ in places],
        [StackMember(planned.recipe(seed, planned.folds[fold]), fold) for planned, seed, fold in places],
        stack_folds(group.planned[0].folds, setup.device, setup.dtype),
        device=setup.device,
    )


def decide(group: Group, seeds: Sequence[int], folds: int) -> tuple[Group, int | None]:
    """The group, to be trained one by one where a stack is slower; and how many members a stack should have."""
    if group.alone:
        return group, None
    setup = group.planned[0].setup
    members = len(group.planned) * len(seeds) * folds
    work = members * setup.horizon.steps * setup.description.multiply_adds * (setup.recipe.train.batch_size or 1)

    def measured() -> dict[str, Any]:
        if work < _WORTH_TIMING:
            return {"most": None, "slower": None}
        timing = timed(group, seeds, folds)
        ratio = None if timing.faster else f"{timing.stacked / timing.alone:.2f}"
        return {"most": timing.most_members if timing.faster else None, "slower": ratio}

    factors = sorted(str(sorted(planned.cell.factors.items(), key=str)) for planned in group.planned)
    decided = choices().once(f"stack {hashlib.sha256(str(factors).encode()).hexdigest()[:16]}", measured)
    if decided["slower"] is None:
        return group, decided["most"]
    return replace(group, alone=Fault("study.slower", {"ratio": decided["slower"]})), None


def jobs_for(groups: Sequence[tuple[Group, int]], asked: int | None) -> Jobs:
    """In how many processes the members of `groups`, each with their number, are trained that cannot be stacked."""

    def seconds() -> tuple[float, float]:
        firsts = [group.planned[0] for group, _ in groups[:_TIMED_GROUPS]]
        steps = [first.setup.horizon.steps for first in firsts]
        here = [pace_alone(first) * count for first, count in zip(firsts, steps, strict=True)]
        before = use_threads(1)
        try:
            beside = [pace_alone(first) * count for first, count in zip(firsts, steps, strict=True)]
        finally:
            use_threads(before)
        return sum(here) / len(here), sum(beside) / len(beside)

    device = groups[0][0].planned[0].setup.device.type
    return chosen_jobs(asked, sum(members for _, members in groups), device=device, alone=seconds)


def with_costs(plan: Plan, jobs: int | None = None) -> list[dict[str, Any]]:
    """The groups as `Plan.facts` gives them, each with about how many seconds and megabytes it will take.

    Those that are trained singly say in how many processes ("jobs"), and why.
    """
    rows: list[dict[str, Any]] = plan.facts()["groups"]
    single = [(group, row["members"]) for row, group in zip(rows, plan.groups, strict=True) if group.alone]
    beside = jobs_for(single, jobs) if single else None
    for row, group in zip(rows, plan.groups, strict=True):
        setup = group.planned[0].setup
        if group.alone:
            assert beside is not None
            pace, together = pace_alone(group.planned[0]) / beside.count, beside.count
            row |= {"jobs": beside.count, "jobs_reason": str(beside.why)}
        else:
            timing = timed(group, plan.seeds, plan.folds)
            pace = min(timing.stacked, timing.alone)
            together = min(timing.most_members, row["members"]) if timing.faster else 1
            if not timing.faster:
                reason = Fault("study.slower", {"ratio": f"{timing.stacked / timing.alone:.2f}"})
                row |= {"stacked": False, "reason": str(reason)}
        row["seconds"] = pace * row["members"] * setup.horizon.steps
        size = dtype_of(setup.recipe.train.precision).itemsize
        inputs = sum(setup.data.sizes.values()) * math.prod(setup.data.sample_shape) * size * plan.folds
        row["megabytes"] = (together * row["parameters"] * size * _COPIES + inputs) / 2**20
    return rows


def pace_alone(planned: Planned) -> float:
    """Seconds a step of one training, the first step, which is slower, aside."""
    setup = planned.setup
    engine = module_engine(replace(setup, net=planned.net(setup.recipe.train.seed)))
    marks: list[float] = []

    def batches(epoch: int, start: int) -> Iterable[Batch]:
        return training_batches(setup.recipe, setup.data, epoch, start, setup.device, setup.dtype)

    def mark(event: Event) -> None:
        if isinstance(event, StepDone):
            wait_for(setup.device)
            marks.append(time.perf_counter())

    few = FewSteps(1 + _STEPS)
    with preserved_randomness(), engine:
        train(engine, batches, unscored, few, [mark, few])
    return statistics.median(later - earlier for earlier, later in pairwise(marks))  # single steps may be held up
