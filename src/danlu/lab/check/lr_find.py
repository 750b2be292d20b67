"""lr_find: the range test of learning rates, all rates at once and each from the same first weights."""

import contextlib
import copy
import itertools
import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from danlu.base.counts import check_above, check_count
from danlu.base.errors import Faults
from danlu.base.events import Event, StepDone, Stop
from danlu.base.memory import memory_guard
from danlu.base.recipe import Recipe, ScheduleRecipe
from danlu.base.seeds import exact_kernels, global_seed, preserved_randomness
from danlu.lab.check.rate_test import RateTest, judge_rates
from danlu.run.batches import training_batches
from danlu.run.engines import module_engine
from danlu.run.settings.draft import CUSTOM, RecipeSource, draft_recipe, net_and_data
from danlu.run.setup import Setup, load_given_weights, set_up
from danlu.stack import StackMember, first_losses
from danlu.study.plan import why_alone
from danlu.study.samples import stack_folds
from danlu.train.engine import Batch
from danlu.train.loop import Batches, train
from danlu.train.progress import FewSteps, unscored

POINTS, STEPS = 48, 60
_LEAST_POINTS, _MOST_POINTS = 8, 1000  # each is a net of its own, all of them in memory
_LEAST_STEPS, _MOST_STEPS = 8, 10**5
_TAIL = 4  # the last of so many parts of the steps is what counts
_STILL = 1e-30  # a rate at which nothing moves
_MOST_KEPT = 2**28  # bytes of batches


@memory_guard("rates")
def lr_find(
    net: object = None,
    data: object = None,
    *,
    recipe: RecipeSource = None,
    lowest: float = 1e-6,
    highest: float = 10.0,
    points: int = POINTS,
    steps: int = STEPS,
    **settings: Any,
) -> RateTest:
    """Which learning rate to take: `points` rates from `lowest` to `highest`, each for `steps` steps.

    A range test (Smith 2017, https://arxiv.org/abs/1506.01186), but every rate starts from the same first weights and
    sees the same batches: no rate inherits what lower ones learned or spoiled. They are trained as one stack, or one
    after another where the net cannot be stacked. `net`, `data`, `recipe` and `settings` are those of `fit`; `net` may
    also be a function that builds one; the schedule is held constant. Nothing given is changed, nothing is written.
    Raises UserError for a mistake in any of these.

    >>> test = lr_find("softmax-regression", "digits", points=12, steps=20)
    >>> 1e-3 < test.suggestion < 1, len(test.losses)
    (True, 12)
    """
    begin = time.perf_counter()
    net, data = net_and_data(net, data)
    rates = _grid(lowest, highest, points, steps)
    setup = _set_up(net, data, recipe, settings)
    alone = why_alone(setup)
    recipes = [with_rate(setup.recipe, rate) for rate in (_STILL, *rates)]
    with preserved_randomness():
        losses = _one_after_another(setup, recipes, steps) if alone else _at_once(setup, recipes, steps)
    start, *found = losses[-max(1, steps // _TAIL) :].mean(0).tolist()
    whole = losses.isfinite().all(0).tolist()[1:]
    ends = [loss if finite else math.nan for loss, finite in zip(found, whole, strict=True)]
    judged = judge_rates(rates, ends, start)
    own = setup.recipe
    return RateTest(
        net=own.net.label,
        data=setup.data.name,
        rates=rates,
        losses=ends,
        start=start,
        best=judged.best,
        edge=judged.edge,
        suggestion=judged.suggestion,
        why=judged.why,
        settings=_settings(own, judged.suggestion),
        current=float(own.optim.lr or 0.0),
        steps=steps,
        batch_size=own.train.batch_size or 0,
        alone=alone,
        seconds=time.perf_counter() - begin,
    )


def with_rate(recipe: Recipe, rate: float) -> Recipe:
    """The recipe with another learning rate."""
    return replace(recipe, optim=replace(recipe.optim, lr=rate))


def _grid(lowest: float, highest: float, points: int, steps: int) -> list[float]:
    faults = Faults()
    check_count(faults, "points", points, _LEAST_POINTS, _MOST_POINTS)
    check_count(faults, "steps", steps, _LEAST_STEPS, _MOST_STEPS)
    rates = [check_above(faults, key, rate) for key, rate in (("lowest", lowest), ("highest", highest))]
    if all(rates) and lowest >= highest:
        faults.add("search.wrong-way-round", key="lr", low=lowest, high=highest)
    faults.raise_if_any()
    factor = (highest / lowest) ** (1 / (points - 1))
    return [float(f"{lowest * factor**number:.3g}") for number in range(points)]


def _set_up(net: object, data: object, recipe: RecipeSource, settings: dict[str, Any]) -> Setup:
    maker = cast(Callable[[], nn.Module], net) if callable(net) and not isinstance(net, nn.Module) else None
    drafted = draft_recipe(None if maker else net, data, recipe, settings)
    # What speaks of whole epochs, or changes the rate on its own, has no place in a few steps at one rate.
    train = replace(drafted.train, patience=None, weights=None, ema=None)
    drafted = replace(drafted, schedule=ScheduleRecipe(name="constant"), train=train)
    if maker:
        options = {"class": getattr(maker, "__name__", "net")}
        drafted = replace(drafted, net=replace(drafted.net, name=CUSTOM, options=options))
        with global_seed(drafted.train.seed, "initial-weights"):
            own = maker()
    else:
        own = copy.deepcopy(net) if isinstance(net, nn.Module) else None
    setup = set_up(drafted, None if isinstance(data, str | Path) else data, own)
    load_given_weights(setup.net, setup.recipe.net.weights)
    return setup


def _at_once(setup: Setup, recipes: Sequence[Recipe], steps: int) -> torch.Tensor:
    """Losses [steps, K] of a stack."""
    members = [StackMember(recipe) for recipe in recipes]
    folds = stack_folds([setup.data], setup.device, setup.dtype)
    losses = first_losses([setup.net] * len(members), members, folds, steps, device=setup.device)
    assert not isinstance(losses, Stop)
    return losses


def _one_after_another(setup: Setup, recipes: Sequence[Recipe], steps: int) -> torch.Tensor:
    """Losses [steps, K] of trainings one after another; a loss that is not finite ends its own."""
    losses = torch.full((steps, len(recipes)), math.nan, dtype=torch.float64)
    batches = _read_once(setup, steps)
    for column, recipe in enumerate(recipes):
        own = replace(setup, recipe=recipe, net=copy.deepcopy(setup.net))
        for number, loss in enumerate(_losses(own, batches, steps)):
            losses[number, column] = loss
    return losses


def _losses(setup: Setup, batches: Batches[Batch], steps: int) -> list[float]:
    engine = module_engine(setup)
    losses: list[float] = []

    def note(event: Event) -> Stop | None:
        if not isinstance(event, StepDone):
            return None
        losses.append(float(event.loss))
        return None if math.isfinite(losses[-1]) else Stop("diverged")

    few = FewSteps(steps)
    with engine, exact_kernels(setup.device):
        train(engine, batches, unscored, few, [note, few])
    return losses


def _read_once(setup: Setup, steps: int) -> Batches[Batch]:
    """The batches of an epoch; those of the first `steps` are read and decoded once where they fit in memory."""

    def read(epoch: int, start: int) -> Generator[Batch]:
        yield from training_batches(setup.recipe, setup.data, epoch, start, setup.device, setup.dtype)

    kept: list[list[Batch]] = []
    while left := steps - sum(map(len, kept)):
        with contextlib.closing(read(len(kept), 0)) as batches:
            first = next(batches)
            if steps * sum(tensor.nbytes for tensor in first) > _MOST_KEPT:
                return read
            kept.append([_copied(batch) for batch in (first, *itertools.islice(batches, left - 1))])
    # A net may change what it is given.
    return lambda epoch, start: map(_copied, kept[epoch])


def _copied(batch: Batch) -> Batch:
    return batch[0].clone(), batch[1].clone()


def _settings(recipe: Recipe, suggestion: float | None) -> dict[str, Any]:
    """The optimiser as it was tested: a rate is good for one momentum and one batch size."""
    optim = {key: value for key, value in recipe.as_dict()["optim"].items() if key != "lr"}
    tested = {f"optim.{key}": value for key, value in optim.items()} | {"train.batch_size": recipe.train.batch_size}
    return tested if suggestion is None else {"optim.lr": suggestion} | tested
