"""Learning-rate schedules: pure functions of the step, so that a resume has nothing to restore (but plateau's memory).

Each gives the share of the full rate for the update number `step`, counted from 0 over the whole training.
"""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from danlu.base.errors import fail, nearest
from danlu.base.naming import spelled
from danlu.base.recipe import ScheduleRecipe


@dataclass(frozen=True)
class Horizon:
    """How long the training is."""

    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch


def constant(recipe: ScheduleRecipe, step: int, horizon: Horizon) -> float:
    """The full rate throughout."""
    return 1.0


def step_decay(recipe: ScheduleRecipe, step: int, horizon: Horizon) -> float:
    """gamma^k after k·every epochs."""
    return recipe.gamma ** (step // horizon.steps_per_epoch // recipe.every)


def exponential(recipe: ScheduleRecipe, step: int, horizon: Horizon) -> float:
    """gamma^k in epoch k."""
    return recipe.gamma ** (step // horizon.steps_per_epoch)


def cosine(recipe: ScheduleRecipe, step: int, horizon: Horizon) -> float:
    """Half a cosine from 1 to floor over the training, every step (Loshchilov & Hutter, https://arxiv.org/abs/1608.03983)."""
    return _cosine(1.0, recipe.floor, step / horizon.steps)


def one_cycle(recipe: ScheduleRecipe, step: int, horizon: Horizon) -> float:
    """Up from 1/25 over the share `rise` of the steps, then down to floor (Smith, https://arxiv.org/abs/1708.07120)."""
    top = recipe.rise * horizon.steps
    if step < top:
        return _cosine(1 / 25, 1.0, step / top)
    return _cosine(1.0, recipe.floor, (step - top) / (horizon.steps - top))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))


AUTO = "auto"
"""Stands in a recipe for the schedule that follows from the data; by itself it keeps the rate."""

OWN_SCHEDULE = "custom"
"""Name in a recipe of a schedule that was given as an object or a function, and that no recipe can bring back."""

SCHEDULES: dict[str, Callable[[ScheduleRecipe, int, Horizon], float]] = {
    AUTO: constant,
    "constant": constant,
    "step": step_decay,
    "exponential": exponential,
    "cosine": cosine,
    "one-cycle": one_cycle,
    "plateau": constant,
    OWN_SCHEDULE: constant,  # which moves the rate by itself
}


def registered_schedule(name: str) -> str:
    """The name of a schedule in its own spelling; UserError for what is none.

    >>> registered_schedule("OneCycle")
    'one-cycle'
    """
    found = spelled(name, SCHEDULES)
    if found is None:
        known = [one for one in SCHEDULES if one != OWN_SCHEDULE]
        fail("train.unknown-schedule", name=name, names=", ".join(known), hint=nearest(name.lower(), known))
    return found


def keeps_rate(recipe: ScheduleRecipe) -> bool:
    """Whether the rate is the same at every step.

    >>> keeps_rate(ScheduleRecipe()), keeps_rate(ScheduleRecipe(warmup=9))
    (True, False)
    """
    return recipe.name in (AUTO, "constant") and recipe.warmup == 0


@dataclass
class Plateau:
    """Drops the rate by gamma when the validation loss has not fallen for more than `patience` epochs."""

    recipe: ScheduleRecipe
    factor: float = 1.0
    best: float = math.inf
    waited: int = 0

    def see(self, loss: float) -> None:
        if loss < self.best:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited > self.recipe.patience:
            self.factor = max(self.recipe.floor, self.factor * self.recipe.gamma)
            self.waited = 0


LENGTHWISE = ("cosine", "one-cycle")
"""Schedules that depend on how long the training is."""


@dataclass
class Schedule:
    """The rate's share at each step, warm-up and restarts included.

    >>> schedule = Schedule(ScheduleRecipe(warmup=4), Horizon(epochs=1, steps_per_epoch=8))
    >>> [schedule(step) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    >>> schedule = Schedule(ScheduleRecipe(name="cosine", restarts=(1,)), Horizon(epochs=3, steps_per_epoch=2))
    >>> [round(schedule(step), 2) for step in range(6)]
    [1.0, 0.5, 1.0, 0.85, 0.5, 0.15]
    """

    recipe: ScheduleRecipe
    horizon: Horizon
    plateau: Plateau | None = field(init=False)

    def __post_init__(self) -> None:
        name = registered_schedule(self.recipe.name)
        self._function = SCHEDULES[name]
        self.plateau = Plateau(self.recipe) if name == "plateau" else None
        begins = (0, *(self.recipe.restarts or ()))
        if self.plateau and len(begins) > 1:
            fail("train.plateau-restarts")
        ends = (*begins[1:], self.horizon.epochs)
        if any(begin >= end for begin, end in zip(begins, ends, strict=True)):
            fail("train.bad-restarts", found=list(begins[1:]), epochs=self.horizon.epochs)
        per_epoch = self.horizon.steps_per_epoch
        self._firsts = [begin * per_epoch for begin in begins]
        self._parts = [Horizon(end - begin, per_epoch) for begin, end in zip(begins, ends, strict=True)]

    def __call__(self, step: int) -> float:
        part = bisect.bisect_right(self._firsts, step) - 1
        step -= self._firsts[part]
        share = self._function(self.recipe, step, self._parts[part])
        if self.plateau:
            share *= self.plateau.factor
        if step < self.recipe.warmup:
            share *= (step + 1) / self.recipe.warmup
        return share

    def at_step(self, step: int) -> None:
        """Before update number `step`, from 0; only a schedule that moves the rate by itself minds."""

    def at_epoch(self, epoch: int) -> None:
        """Before epoch number `epoch`, from 0; the same."""

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds besides `state`, as a tree of tensors and numbers; mostly nothing."""
        return {}

    def load_tensors(self, kept: dict[str, Any]) -> None:
        """Take back what `tensors` gave."""

    def see(self, validation_loss: float) -> None:
        """Tell the schedule a validation loss; only plateau minds."""
        if self.plateau:
            self.plateau.see(validation_loss)

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold of the schedule: plain numbers, and none but for plateau."""
        if not self.plateau:
            return {}
        return {"factor": self.plateau.factor, "best": self.plateau.best, "waited": self.plateau.waited}

    def load_state(self, state: dict[str, Any]) -> None:
        if self.plateau:
            self.plateau = Plateau(self.recipe, **state)
