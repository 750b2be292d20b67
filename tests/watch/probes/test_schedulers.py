"""Schedulers: calls, those before the first step, the steps that they were told of, the metric that they were given."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Optimizer, lr_scheduler

from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Scheduler
from danlu.watch.probes.optimisers import OptimiserProbe
from danlu.watch.probes.schedulers import SchedulerProbe
from danlu.watch.sites import Sites


class Watched:
    """One linear layer, its optimiser, and the probes."""

    def __init__(self) -> None:
        model = nn.Linear(2, 1)
        self.measured = Measured()
        self.optimizer = SGD(model.parameters(), lr=0.1)
        sites = Sites(self.measured, Guard(lambda *_: None))
        self.optimisers = OptimiserProbe(self.measured, {id(one): "0" for one in model.parameters()}, (), sites)
        self.probe = SchedulerProbe(self.measured, self.optimisers)

    def step(self) -> None:
        self.optimizer.step()
        self.optimisers.after(self.optimizer, 1, measuring=False)

    def schedule(self, scheduler: Any, *args: Any) -> None:
        scheduler.step(*args)
        self.probe.stepped(scheduler, args)

    @property
    def only(self) -> Scheduler:
        (record,) = self.measured.schedulers
        return record


KINDS: list[tuple[Callable[[Optimizer], Any], str, int | None, str]] = [
    (lambda one: lr_scheduler.StepLR(one, 3), "StepLR", None, ""),
    (lambda one: lr_scheduler.OneCycleLR(one, 0.1, total_steps=20), "OneCycleLR", 20, ""),
    (lambda one: lr_scheduler.OneCycleLR(one, 0.1, epochs=3, steps_per_epoch=4), "OneCycleLR", 12, ""),
    (lambda one: lr_scheduler.CosineAnnealingLR(one, 7), "CosineAnnealingLR", 7, ""),
    (lambda one: lr_scheduler.LambdaLR(one, lambda epoch: 1.0), "LambdaLR", None, ""),
]


@pytest.mark.parametrize(("make", "kind", "total", "mode"), KINDS)
def test_a_schedulers_calls_are_counted_from_its_first(
    make: Callable[[Optimizer], Any], kind: str, total: int | None, mode: str
) -> None:
    watched = Watched()
    scheduler = make(watched.optimizer)
    watched.probe.stepped(scheduler, ())  # the call that its constructor makes
    assert not watched.measured.schedulers
    assert not watched.optimisers.record(watched.optimizer).scheduled  # type: ignore
    for _ in range(3):
        watched.step()
        watched.schedule(scheduler)
    record = watched.only
    assert (record.kind, record.calls, record.before_first_step) == (kind, 3, 0)
    assert (record.total, record.mode, len(record.metric)) == (total, mode, 0)
    assert watched.optimisers.record(watched.optimizer).scheduled  # type: ignore


@pytest.mark.filterwarnings("ignore:Detected call of")
def test_calls_before_the_optimisers_first_step_are_told_apart() -> None:
    watched = Watched()
    scheduler = lr_scheduler.StepLR(watched.optimizer, 3)
    watched.schedule(scheduler)
    watched.schedule(scheduler)
    watched.step()
    watched.schedule(scheduler)
    assert (watched.only.calls, watched.only.before_first_step) == (3, 2)


class Patient(lr_scheduler.ReduceLROnPlateau):
    """One that a user derived."""


@pytest.mark.parametrize("kind", [lr_scheduler.ReduceLROnPlateau, Patient])
def test_what_a_plateau_scheduler_is_given_is_its_metric_by_step(kind: Any) -> None:
    watched = Watched()
    scheduler = kind(watched.optimizer, mode="max")
    for metric in (0.5, torch.tensor(0.25), math.nan):
        watched.step()
        watched.schedule(scheduler, metric)
    assert (watched.only.mode, watched.only.metric.steps) == ("max", [1, 2, 3])
    assert watched.only.metric.values[:2] == [0.5, 0.25]
    assert math.isnan(watched.only.metric.last)


def test_an_epoch_that_another_scheduler_is_given_is_no_metric() -> None:
    watched = Watched()
    scheduler = lr_scheduler.StepLR(watched.optimizer, 3)
    watched.step()
    scheduler.step()
    watched.probe.stepped(scheduler, (4,))
    assert len(watched.only.metric) == 0


def test_two_schedulers_of_one_optimiser_have_a_record_each() -> None:
    watched = Watched()
    two = [lr_scheduler.StepLR(watched.optimizer, 3), lr_scheduler.ExponentialLR(watched.optimizer, 0.9)]
    watched.step()
    for scheduler in (*two, two[1]):
        watched.schedule(scheduler)
    assert [(one.kind, one.calls) for one in watched.measured.schedulers] == [("StepLR", 1), ("ExponentialLR", 2)]


def test_a_scheduler_of_another_net_or_of_nothing_is_passed_over() -> None:
    watched = Watched()
    other = SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    scheduler = lr_scheduler.StepLR(other, 3)
    other.step()
    watched.schedule(scheduler)
    watched.probe.stepped(object(), ())
    assert watched.measured.schedulers == []


def test_the_rate_that_several_in_a_row_start_from_is_the_optimisers() -> None:
    watched = Watched()
    parts = [lr_scheduler.LinearLR(watched.optimizer, 0.01, total_iters=9), lr_scheduler.StepLR(watched.optimizer, 3)]
    scheduler = lr_scheduler.SequentialLR(watched.optimizer, parts, milestones=[9])
    watched.step()
    watched.schedule(scheduler)
    assert (watched.only.kind, watched.only.base) == ("SequentialLR", 0.1)
