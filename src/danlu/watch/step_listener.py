"""The part of the observer that knows where the steps are: what each is for, and what is done when it ends."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.conduct_listener import ConductListener
from danlu.watch.guard import Guard
from danlu.watch.hearing import Hearing
from danlu.watch.lane import Lane
from danlu.watch.measured import Measured
from danlu.watch.pace import Pace
from danlu.watch.probe_set import ProbeSet
from danlu.watch.schedule import Schedule
from danlu.watch.steps import Lead, StepPlan


class StepListener(ConductListener):
    """Hears of the steps of optimisers, by hooks of torch's, and sends what each has shown to the probes. An ordinary
    step has a short way, for nearly all are ordinary, and must cost next to nothing."""

    def __init__(self, roots: Mapping[str, nn.Module], schedule: Schedule, guard: Guard) -> None:
        super().__init__(Measured(), roots, guard, Lane(self.before_step))
        self.stepped: Callable[[], None] = lambda: None
        self.passes_losses = False
        self.was_measured = False  # the step that has just ended
        self.pace = Pace()
        self.probes = ProbeSet(self.measured, roots, guard, self.held_out)
        self._roots = dict(roots)
        self._steps = StepPlan(schedule, self.pace)
        self._hearing: Hearing
        self._input: torch.Tensor | None = None
        self._outputs: list[torch.Tensor] = []  # of this step's training passes
        self._only: int | None = None  # id of the optimiser, where there is one alone
        self._lead = Lead()
        self._stepping: list[Any] = []  # optimisers whose step is under way, the outermost first
        self._nested = False  # an optimiser steps within the step of another one
        self._steps_switch = False  # the optimiser switches gradients off itself, in its step
        self._loss_calls = self._forwards = self._backwards = 0  # in this step
        self._waited_since = self._forward_began = 0.0

    @property
    def step(self) -> int:
        """The number of the step that is under way."""
        return self.measured.step + 1

    @property
    def measuring(self) -> bool:
        """Whether the step that is under way is measured."""
        return self._steps.measuring

    def ordinary(self, loss: float) -> bool:
        """Take up a whole ordinary step of the only optimiser, made by other means than a call of the model; False
        where more than the loss of the step under way is of interest."""
        if not self.lane.left:
            return False
        if not self.lane.add(loss):
            self._guard(self._leave_quiet)
        return True

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        """Before an optimiser's step; a closure that it was given takes its place as the moment to measure."""
        self._nested = self._nested or bool(self._stepping)
        self._stepping.append(optimizer)
        if self._steps.quiet:
            return None
        self.scaling.before_step(self.step)
        closure = kwargs.get("closure")
        closure = args[1] if closure is None and len(args) > 1 else closure
        if not callable(closure):
            self._guard(self.probes.optimisers.before, optimizer, self.step, measuring=self._steps.measuring)
            return None

        def observed() -> Any:
            loss = closure()
            self._guard(self.probes.optimisers.before, optimizer, self.step, measuring=self._steps.measuring)
            return loss

        if kwargs.get("closure") is not None:
            return args, {**kwargs, "closure": observed}
        return (args[0], observed, *args[2:]), kwargs

    def after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        lane = self.lane
        if lane.left and id(optimizer) == self._only:
            if self._steps_switch:
                self._stepping.clear()
            if lane.passes():
                return
            if not lane.left:
                self._guard(self._leave_quiet)
                return
            self._leave_lane()
        if self.measured.scaled:
            self.scaling.after_step()
        steps = self._steps
        if steps.quiet and id(optimizer) == self._only:
            measured = self.measured
            measured.step += 1
            measured.optimisers[0].steps += 1
            self.probes.loss.end_step(read=False)
            self._forwards = self._loss_calls = 0
            self._stepping.clear()
            if self._hearing.awake:
                self._hearing.sleep(evaluated=self.probes.evaluations.running)
            if measured.step + 1 >= steps.next:
                self._guard(self._leave_quiet)
            else:
                self._enter_lane()
            return
        self._leave_lane()
        self._guard(self._after_step, optimizer)

    def hear(self, hearing: Hearing) -> None:
        """Listen to calls by that plan from now on."""
        self._hearing = hearing
        hearing.plan()

    def finish(self) -> None:
        """The block is left: read all that still waits."""
        self._guard(self._finish)
        self.detach()  # the last step, where only its weights tell that it was one, plans to listen to the next

    def detach(self) -> None:
        """Hear of no call any more."""
        self._hearing.end()
        self._leave_lane()
        self.lane.close_before()

    def _enter_lane(self) -> None:
        """The coming steps are ordinary ones, where no call is listened to and each has one loss."""
        measured = self.measured
        waits = self.probes.evaluations.running or self.scaling.loss is not None or self._stepping or self._nested
        several = measured.losses_per_step > 1 or measured.scaled or measured.loss.heard is not None
        if self.passes_losses and self._hearing.silent and not (waits or several):
            self.lane.open(self._steps.next - self.step, asked_before=self._steps_switch)

    def _leave_lane(self) -> None:
        """What comes is to be looked at, or may be."""
        if self.lane.entered:
            self.catch_up()
            begun = self.lane.close()
            self._measured.backwards += len(begun)
            self.probes.loss.begun(begun)

    @property
    def _moves_by_hand(self) -> bool:
        """Whether the weights are moved by nobody that we know of, now that the next backward pass begins."""
        return not self._stepping and not any(one.steps for one in self.measured.optimisers)

    def _end_step_by_hand(self) -> None:
        """The step before ended when somebody changed the weights; the forward pass since then is of the new one."""
        self.measured.stale_by_hand = self.probes.by_hand.stale
        kept = self._input, list(self._outputs), self._forwards, self._loss_calls, self._readable
        self._end_step(self.measured.step + 1)
        self._input, outputs, self._forwards, self._loss_calls, self._readable = kept
        self._outputs.extend(outputs)

    def _after_step(self, optimizer: Any) -> None:
        place = next((n for n, one in enumerate(self._stepping) if one is optimizer), len(self._stepping))
        del self._stepping[place:]
        if any(self.probes.optimisers.is_same(optimizer, outer) for outer in self._stepping):
            return  # the step of the one around it goes on
        record = self.probes.optimisers.after(optimizer, self.measured.step + 1, measuring=self._steps.measuring)
        if record is None:
            self.measured.foreign_steps += 1
            return
        if self._lead.ends(record, self.measured.step):
            self._end_step(self.measured.step + 1)

    def _end_step(self, step: int) -> None:
        if self._forward_began:
            self.measured.timing.work.add(step, time.perf_counter() - self._forward_began)
            self._forward_began = 0.0
        found = self.probes.loss.end_step(read=self._steps.measuring)
        if found:
            self._guard.within(self.probes.loss.nonfinite, None, step, self._input, readable=False)
        if self._steps.measuring:
            self._guard.within(self.probes.layers.end_step, step)
            self._guard.within(self.probes.heard.end_step, step)
            self._guard.within(self._averaged.trained)
        if step == 1:
            self.pace.size(self.probes.loss.operations, len(self.probes.owners), self.probes.layers.products)
        self.measured.step = step
        self._forwards = self._loss_calls = self._backwards = 0
        self._input = None
        self._outputs.clear()
        self.probes.sites.end_step()
        self._readable = True
        self._leave_quiet(measured=self._steps.measuring)

    def _leave_quiet(self, *, measured: bool = False) -> None:
        """The ordinary steps are over, or one that was none: the next one may be one to measure."""
        self.was_measured = measured
        self._plan()
        self.stepped()
        self._waited_since = 0.0 if self._steps.quiet else time.perf_counter()

    def _plan(self) -> None:
        self._leave_lane()
        self._only = self.probes.optimisers.only
        self._steps.plan(self.step, wanted=self._only is None, samples=not self.probes.samples.closed)
        quiet = self._steps.quiet
        self.passes_losses = quiet and self.probes.labels.closed
        self._hearing.plan()
        self._enter_lane()

    def refresh(self) -> None:
        """Bring up to date what is read only before judging."""
        self.probes.samples.flush()
        self.measured.samples_seen = self.probes.samples.samples
        self.probes.labels.flush()
        self.probes.labels.spread()
        self.probes.optimisers.read_held(self._roots, self.probes.loss.reached, self.probes.loss.loose)
        self.code.read()

    def _finish(self) -> None:
        if self._moves_by_hand and self.measured.backwards and self.probes.by_hand.has_moved():
            self._end_step(self.measured.step + 1)
        self.probes.evaluations.end(self.step)
        self.probes.loss.end_step(read=True)
        self.probes.layers.end_step(self.step)
        self._guard.within(self.probes.heard.end)
        self._guard.within(self._averaged.end, self.measured.step)
        self.refresh()
        self.measured.net.silent_scheduler = self.probes.optimisers.has_silent_scheduler(self.code.waits_to_schedule)
        self.measured.ended = True
