"""A rehearsal: the first steps of a training on a copy of the net, watched, and thrown away."""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import nn

from danlu.base.events import Event, StepDone, Stop
from danlu.base.recipe import OptimRecipe, Recipe, ScheduleRecipe
from danlu.base.records import Finding
from danlu.base.seeds import exact_kernels, global_seed
from danlu.run.batches import training_batches
from danlu.run.engines import module_engine
from danlu.run.setup import Setup
from danlu.train.carried import Carried
from danlu.train.engine import Batch
from danlu.train.loop import train
from danlu.train.losses import AT_PLACES, build_loss, loss_of
from danlu.train.optimisers import resolve_optim
from danlu.train.progress import Progress
from danlu.watch import Measured, Watch
from danlu.watch.rulebook import rulebook

# The rules whose findings mean something after a few steps, by the line in which they are told.
RULES = {
    "data": (
        "input-scale", "input-twice-scaled", "input-nonfinite", "input-constant", "label-range", "label-imbalance",
        "unshuffled", "train-test-overlap", "class-weights-inverted", "padding-in-loss",
    ),
    "first-loss": (
        "initial-loss", "softmax-twice", "loss-mismatch", "output-activation", "loss-broadcast", "loss-sum",
        "loss-below-floor", "targets-not-shifted",
    ),
    "gradient": (
        "parameters-unused", "parameters-not-optimized", "no-update", "vanishing-gradient", "exploding-gradient",
    ),
    "signal": (
        "bad-init", "saturated", "dead-relu", "missing-nonlinearity", "batchnorm-small-batch", "dropout-too-high",
        "nonfinite", "future-leak", "samples-mixed", "padding-seen", "softmax-axis",
    ),
    "rate": ("lr-too-high", "lr-too-low", "clip-too-tight", "weight-decay-too-high", "rate-range"),
}  # fmt: skip
# Of these the rules that judge the number which the line shows; the others are about something else.
NUMBERS = {
    "data": ("input-scale", "input-twice-scaled", "input-nonfinite", "input-constant"),
    "first-loss": ("initial-loss",),
    "gradient": ("parameters-unused", "parameters-not-optimized", "no-update"),
    "signal": ("bad-init", "nonfinite"),
    "rate": ("lr-too-high", "lr-too-low", "rate-range"),
}

_FEWEST_STEPS, _MOST_STEPS = 60, 200
_SECONDS = 4.0
_EVALUATED = 8  # batches
_BATCH = 32
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
_BY_HEART_STEPS = 300
_BY_HEART_RATES = (0.003, 0.0003)  # Adam's usual one and a little about it


@dataclass(frozen=True)
class Rehearsed:
    """What the first steps showed."""

    findings: list[Finding]
    measured: Measured
    steps: int


@dataclass(frozen=True)
class ByHeart:
    """One batch, trained on again and again: its loss at first and at last, and whether there was time enough."""

    samples: int
    first: float
    last: float
    steps: int
    in_time: bool


class _Enough:
    """A listener that ends a training after so many steps or seconds, or once the loss is `low` enough."""

    def __init__(self, steps: int, low: float = float("-inf")) -> None:
        self._steps = steps
        self._low = low
        self._until = time.monotonic() + _SECONDS
        self.steps = 0
        self.first = self.last = float("nan")
        self.in_time = True

    def __call__(self, event: Event) -> Stop | None:
        if not isinstance(event, StepDone):
            return None
        self.last = float(event.loss)
        self.first = self.last if not self.steps else self.first
        self.steps += 1
        self.in_time = time.monotonic() < self._until
        low = self.last < self._low * self.first if self.first > 0 else self.last < self.first - 0.5 * abs(self.first)
        return Stop("early") if low or self.steps >= self._steps or not self.in_time else None


def rehearse_training(setup: Setup) -> Rehearsed:
    """Train a copy of the net for a whole epoch, or for as much of it as a few seconds allow, and watch it."""
    recipe, data = setup.recipe, setup.data
    own = replace(setup, net=copy.deepcopy(setup.net))
    engine = module_engine(own)
    silence = {rule.id for rule in rulebook()} - {rule for rules in RULES.values() for rule in rules}

    def batches(epoch: int, start: int) -> Iterable[Batch]:
        return training_batches(recipe, data, epoch, start, setup.device, setup.dtype)

    steps = min(max(setup.horizon.steps_per_epoch + 1, _FEWEST_STEPS), _MOST_STEPS, setup.horizon.steps)
    enough = _Enough(steps)
    epochs = -(-steps // setup.horizon.steps_per_epoch)
    progress = Progress(epochs=epochs, steps_per_epoch=setup.horizon.steps_per_epoch)
    watching = Watch(
        engine.net,
        engine.optimizer,
        silence=silence | set(recipe.watch.silence),
        thresholds=recipe.watch.thresholds,
        schedule=lambda step: step <= _MOST_STEPS,
        shown=False,
        lines=False,
    )
    with exact_kernels(setup.device), engine, watching as watch:
        train(engine, batches, lambda: None, progress, [enough])
        _evaluate(own)
    return Rehearsed(watch.findings, watch.measured, enough.steps)


def first_loss(setup: Setup) -> tuple[float, float]:
    """The loss of the untrained net on its first batches, and that of answering 0 (each class alike) always.

    The second is NaN where 0 is no such answer.
    """
    recipe = setup.recipe
    loss = build_loss(recipe.loss.name, recipe.loss)
    forward = Carried(copy.deepcopy(setup.net).train(), keeps=False)
    found, expected = list[float](), list[float]()
    with torch.no_grad(), global_seed(recipe.train.seed, "check"):
        for inputs, targets in islice(_batches(setup, recipe), _EVALUATED):
            outputs = forward(inputs)
            found.append(float(loss_of(outputs, targets, loss)))
            if _answers_by_zero(setup) and isinstance(outputs, torch.Tensor):
                expected.append(float(loss_of(torch.zeros_like(outputs), targets, loss)))
    return sum(found) / len(found), sum(expected) / len(expected) if expected else float("nan")


def learn_by_heart(setup: Setup, share: float) -> ByHeart:
    """Train a copy of the net on one batch until its loss is below `share` of what it was, with Adam: what is asked is
    whether net, loss and data can do it at all, not whether the recipe's own optimiser does."""
    tries: list[ByHeart] = []
    for rate in _BY_HEART_RATES:
        tries.append(_by_heart(setup, rate, share))
        if tries[-1].last < share * tries[-1].first or not tries[-1].in_time:
            break
    return min(tries, key=lambda one: one.last)


def _by_heart(setup: Setup, rate: float, share: float) -> ByHeart:
    plain = replace(setup.recipe.train, clip_norm=None, clip_value=None, ema=None, accumulate=1, freeze=None, thaw=None)
    optim = resolve_optim(OptimRecipe(name="adam", lr=rate))
    recipe = replace(setup.recipe, optim=optim, schedule=ScheduleRecipe(), train=plain)
    own = replace(setup, recipe=recipe, net=_without_dropout(setup))
    inputs, targets = next(iter(_batches(setup, setup.recipe)))
    batch = inputs[:_BATCH], targets[:_BATCH]
    enough = _Enough(_BY_HEART_STEPS, share)
    progress = Progress(epochs=1, steps_per_epoch=_BY_HEART_STEPS)
    engine = module_engine(own)
    repeated: Callable[[int, int], Iterable[Batch]] = lambda epoch, start: [batch] * _BY_HEART_STEPS  # noqa: E731
    with exact_kernels(setup.device), engine:
        train(engine, repeated, lambda: None, progress, [enough])
    return ByHeart(len(batch[0]), enough.first, enough.last, enough.steps, enough.in_time)


def _without_dropout(setup: Setup) -> nn.Module:
    net = copy.deepcopy(setup.net)
    for module in net.modules():
        if isinstance(module, _DROPOUTS):
            module.p = 0.0
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    return net


def _batches(setup: Setup, recipe: Recipe) -> Iterable[Batch]:
    return training_batches(recipe, setup.data, 0, 0, setup.device, setup.dtype)


def _answers_by_zero(setup: Setup) -> bool:
    task, loss = setup.data.task, setup.recipe.loss.name
    return task in ("classification", "regression", "language", *AT_PLACES) and loss not in ("nll", "mixture-nll")


def _evaluate(setup: Setup) -> None:
    """A pass over some of the validation part, for the rules that look at evaluations."""
    if not setup.data.sizes["validation"]:
        return
    size = setup.recipe.train.batch_size or 1
    batches = setup.data.batches("validation", size, device=setup.device, dtype=setup.dtype)
    forward = Carried(setup.net.eval(), keeps=setup.data.continues)
    with torch.no_grad():
        for inputs, _ in islice(batches, _EVALUATED):
            forward(inputs)
