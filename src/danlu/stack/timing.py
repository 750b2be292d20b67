"""A short timing: is a stack faster than one after another here, and how many members should it have?"""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import nn

from danlu.base.seeds import cores, preserved_randomness, use_threads, wait_for
from danlu.stack.build import find_way
from danlu.stack.feed import StackFeed
from danlu.stack.members import FoldRows, StackMember
from danlu.stack.plan import StackPlan, cut, sample_of
from danlu.stack.scores import StackScorer
from danlu.stack.step import StackedStep
from danlu.train.engine import AnyBatch, Updates
from danlu.train.engine import Batch as AloneBatch
from danlu.train.loop import Batches, train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ModuleEngine
from danlu.train.optimisers import build_optimiser
from danlu.train.progress import FewSteps, unscored
from danlu.train.schedules import Horizon, Schedule

_SIZES = (1, 2, 4, 16)  # besides all members a worker could get
_STEPS = 4
_ROUNDS = 3
_LONG_ROUND = 0.3  # seconds
_MOST_SECONDS = 2.0  # for all sizes together, about


@dataclass(frozen=True)
class StackTiming:
    """Seconds a step and member, in stacks of at most `most_members`, and one after another."""

    stacked: float
    alone: float
    most_members: int

    @property
    def faster(self) -> bool:
        """Whether the stack wins."""
        return self.stacked < self.alone


def faster_stacked(
    nets: Sequence[nn.Module],
    members: Sequence[StackMember],
    folds: Sequence[FoldRows],
    *,
    device: torch.device,
    workers: int | None = None,
) -> StackTiming:
    """Time a few steps of the members, which `train_members` could take, in stacks of several sizes and alone.

    Takes a second or two, less for small nets. Nothing given is changed.
    """
    workers = workers or (cores() if device.type == "cpu" else 1)
    way = find_way(nets[0], sample_of(folds[members[0].fold]))
    assert way is not None
    recipe = members[0].recipe
    judge = StackScorer("", 1, recipe.loss.name)  # nothing is scored
    plan = StackPlan(nets, members, folds, judge, way, device)
    with preserved_randomness():
        alone = _alone(plan)
        paces: dict[int, float] = {}
        begin = time.perf_counter()
        largest = -(-len(members) // workers)
        for size in sorted({largest, *(size for size in _SIZES if size < largest)}):
            if paces and time.perf_counter() - begin > _MOST_SECONDS:
                break  # a slow net: larger stacks would take longer still to try
            stacks = cut(members, folds, size, workers, fills=way.fills)[:workers]
            paces[size] = _stacked(plan, stacks)
    best = min(paces, key=lambda size: (paces[size], -size))
    return StackTiming(paces[best], alone, best)


def _alone(plan: StackPlan) -> float:
    member = plan.members[0]
    recipe = member.recipe
    net = copy.deepcopy(plan.nets[0]).to(plan.device)
    _, feed = plan.prepared([0])
    horizon = Horizon(recipe.train.epochs or 1, feed.steps_per_epoch)
    loss, optimiser = build_loss(recipe.loss.name, recipe.loss), build_optimiser(recipe.optim, net)
    engine = ModuleEngine(net.train(), loss, optimiser, Schedule(recipe.schedule, horizon), recipe, plan.device)

    def batches(epoch: int, start: int) -> Iterator[AloneBatch]:
        return ((inputs[0], targets[0]) for inputs, targets, _ in feed.batches(epoch, start))

    return _least(lambda: _few_steps(engine, batches), plan.device) / _STEPS


def _stacked(plan: StackPlan, stacks: Sequence[Sequence[int]]) -> float:
    """Seconds a step and member with all stacks trained side by side."""
    prepared = [plan.prepared(places) for places in stacks]
    if len(prepared) == 1:
        took = _least(lambda: _few_stacked_steps(prepared[0]), plan.device)
    else:
        before = use_threads(1)
        with ThreadPoolExecutor(len(prepared), initializer=use_threads, initargs=(1,)) as pool:
            took = _least(lambda: list(pool.map(_few_stacked_steps, prepared)), plan.device)
        use_threads(before)
    return took / (_STEPS * sum(step.members for step, _ in prepared))


@torch.no_grad()
def _few_stacked_steps(stack: tuple[StackedStep, StackFeed]) -> None:
    _few_steps(stack[0], stack[1].batches)


def _few_steps(engine: Updates[AnyBatch], batches: Batches[AnyBatch]) -> None:
    few = FewSteps(_STEPS)
    train(engine, batches, unscored, few, [few])


def _least(work: Callable[[], object], device: torch.device) -> float:
    """The least seconds of several rounds, after one to warm up; of one round, where that is long."""
    took: list[float] = []
    while len(took) <= (1 if sum(took) > _LONG_ROUND else _ROUNDS):
        begin = time.perf_counter()
        work()
        wait_for(device)
        took.append(time.perf_counter() - begin)
    return min(took[1:])
