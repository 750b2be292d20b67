"""What a group of trainings will cost: timed over a few steps, which also decides whether it is stacked."""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from danlu.base.errors import Fault
from danlu.base.recipe import Recipe
from danlu.base.seeds import preserved_randomness
from danlu.lab.fit import make_step
from danlu.lab.study.plan import Group, Plan, Planned
from danlu.lab.study.samples import stack_folds
from danlu.train.stack import Member, Timing, faster_stacked

# Below so many multiply-adds in all, timing would take longer than what it could save.
_WORTH_TIMING = 2e10
_STEPS = 5
# A member's weights, gradients, velocity and one more state as large as they.
_COPIES = 4


def timed(group: Group, seeds: Sequence[int], folds: int) -> Timing:
    """Seconds a step and member of the group's first members, stacked and alone."""
    places = list(itertools.product(group.planned, seeds, range(folds)))[:64]
    setup = group.planned[0].setup
    return faster_stacked(
        [planned.net(seed) for planned, seed, _ in places],
        [Member(planned.recipe(seed), fold) for planned, seed, fold in places],
        stack_folds(group.planned[0].folds, setup.device, setup.dtype),
        device=setup.device,
    )


def decide(group: Group, seeds: Sequence[int], folds: int) -> tuple[Group, int | None]:
    """The group, to be trained one by one where a stack is slower; and how many members a stack should have."""
    setup = group.planned[0].setup
    members = len(group.planned) * len(seeds) * folds
    work = members * setup.horizon.steps * setup.description.multiply_adds * (setup.recipe.train.batch_size or 1)
    if group.alone or work < _WORTH_TIMING:
        return group, None
    timing = timed(group, seeds, folds)
    if timing.faster:
        return group, timing.most_members
    ratio = f"{timing.stacked / timing.alone:.2f}"
    return replace(group, alone=Fault("study.slower", {"ratio": ratio})), None


def with_costs(plan: Plan) -> list[dict[str, Any]]:
    """The groups as `Plan.facts` gives them, each with about how many seconds and megabytes it will take."""
    rows: list[dict[str, Any]] = plan.facts()["groups"]
    for row, group in zip(rows, plan.groups, strict=True):
        setup = group.planned[0].setup
        if group.alone:
            pace, together = _pace_alone(group.planned[0]), 1
        else:
            timing = timed(group, plan.seeds, plan.folds)
            pace = min(timing.stacked, timing.alone)
            together = min(timing.most_members, row["members"]) if timing.faster else 1
            if not timing.faster:
                reason = Fault("study.slower", {"ratio": f"{timing.stacked / timing.alone:.2f}"})
                row |= {"stacked": False, "reason": str(reason)}
        row["seconds"] = pace * row["members"] * setup.horizon.steps
        size = setup.dtype.itemsize
        inputs = sum(setup.data.sizes.values()) * math.prod(setup.data.sample_shape) * size * plan.folds
        row["megabytes"] = (together * row["parameters"] * size * _COPIES + inputs) / 2**20
    return rows


def _pace_alone(planned: Planned) -> float:
    """Seconds a step of one training."""
    setup = planned.setup
    step = make_step(replace(setup, net=planned.net(setup.recipe.train.seed)))
    size = _batch(setup.recipe)
    with preserved_randomness():
        batches = setup.data.batches("train", size, device=setup.device, dtype=setup.dtype)
        step.start_epoch(0, 0)
        begin = time.perf_counter()
        count = 0
        for batch in itertools.islice(batches, _STEPS):
            step.begin(count)
            step.backward(step.loss(step.forward(batch[0]), batch[1]))
            step.clip()
            step.update()
            count += 1
    return (time.perf_counter() - begin) / max(1, count)


def _batch(recipe: Recipe) -> int:
    return (recipe.train.batch_size or 1) * recipe.train.accumulate
