"""A learning-rate scheduler of torch's that the user made, stepped after every update or every epoch."""

import warnings
from typing import Any, Literal

import torch
from torch.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from danlu.base.errors import Fault, fail
from danlu.base.recipe import ScheduleRecipe
from danlu.train.schedules import Horizon, Schedule


def usual_pace(scheduler: LRScheduler) -> Literal["step", "epoch"]:
    """When torch means a scheduler to be stepped: one cycle's and the cyclic one after every step, others after every
    epoch.

    >>> usual_pace(OneCycleLR(torch.optim.SGD([torch.ones(1)], 0.1), 0.1, total_steps=5))
    'step'
    """
    return "step" if isinstance(scheduler, OneCycleLR | CyclicLR) else "epoch"


class OwnSchedule(Schedule):
    """Steps the user's scheduler before the next update begins, so that each update has the rate which is told of it.

    How often it was stepped is part of what a checkpoint holds: a resume neither leaves a step out nor makes one twice.
    """

    def __init__(self, scheduler: LRScheduler, recipe: ScheduleRecipe, horizon: Horizon) -> None:
        super().__init__(recipe, horizon)
        self._scheduler = scheduler
        self._done = 0
        self._loss: float | None = None

    def at_step(self, step: int) -> None:
        """Before update number `step`, from 0."""
        if self.recipe.per == "step":
            self._go_on(step)

    def at_epoch(self, epoch: int) -> None:
        """Before epoch number `epoch`, from 0."""
        if self.recipe.per == "epoch":
            self._go_on(epoch)

    def see(self, validation_loss: float) -> None:
        """The loss that a scheduler which follows it is stepped with."""
        self._loss = validation_loss

    def state(self) -> dict[str, Any]:
        return {"done": self._done, "loss": self._loss}

    def load_state(self, state: dict[str, Any]) -> None:
        self._done, self._loss = state["done"], state["loss"]

    def tensors(self) -> dict[str, Any]:
        """What the scheduler keeps, but for functions, which the user brings again."""
        return _plain(self._scheduler.state_dict())

    def load_tensors(self, kept: dict[str, Any]) -> None:
        """Take back what `tensors` gave."""
        self._scheduler.load_state_dict({**self._scheduler.state_dict(), **kept})

    def _go_on(self, until: int) -> None:
        while self._done < until:
            self._done += 1
            with warnings.catch_warnings():
                # After a resume torch has not seen the update that came before.
                warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
                self._step()

    def _step(self) -> None:
        try:
            if not isinstance(self._scheduler, ReduceLROnPlateau):
                self._scheduler.step()
            elif self._loss is not None:
                self._scheduler.step(self._loss)
        except Exception as error:  # noqa: BLE001 - the scheduler is the user's
            per = Fault(f"lab.per-{self.recipe.per}")
            fail("train.own-schedule-fails", name=type(self._scheduler).__name__, per=per, done=self._done, why=error)


def _plain(kept: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kept.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(one) for one in value.values())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str | torch.Tensor | None)
