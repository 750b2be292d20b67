"""Hears of everything that goes by in a watched block, knows where the steps are, and sends each fact to its probe.

Every method that torch calls has a short way for the steps that are not measured: they are nearly all, and must cost
next to nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from danlu.watch.calls import ModuleCalls
from danlu.watch.conduct_listener import ConductListener
from danlu.watch.guard import Guard
from danlu.watch.hearing import Hearing
from danlu.watch.lane import Lane
from danlu.watch.measured import NO_TENSOR, Measured
from danlu.watch.pace import Pace
from danlu.watch.patches import LossCall, Patches
from danlu.watch.probes.activations import ActivationProbe
from danlu.watch.probes.calls import CallProbes
from danlu.watch.probes.evaluations import EvaluationProbe
from danlu.watch.probes.graph import Names
from danlu.watch.probes.handwork import Handwork
from danlu.watch.probes.inputs import InputProbe, SampleProbe, batch_of
from danlu.watch.probes.labels import LabelProbe
from danlu.watch.probes.layers import LayerProbe, layers_of
from danlu.watch.probes.losses import LossProbe
from danlu.watch.probes.optimisers import OptimiserProbe
from danlu.watch.probes.schedulers import SchedulerProbe
from danlu.watch.probes.structure import read_net
from danlu.watch.schedule import Schedule
from danlu.watch.sites import Sites
from danlu.watch.steps import Lead, StepPlan
from danlu.watch.tracing import all_tensors, is_traced, is_transformed, outside_transforms, unreadable, unwrapped

_MOST_OUTPUTS = 8
_STEPLESS = (50, 200, 800)  # backward passes without any step at which to judge


class Observer(ConductListener):
    """The one listener of a watched block. Its public methods are called from hooks and never raise."""

    def __init__(self, roots: Mapping[str, nn.Module], schedule: Schedule, guard: Guard, patches: Patches) -> None:
        super().__init__(Measured(), roots, guard, Lane(self.before_step))
        self.sites = Sites(self.measured, guard)
        self.stepped: Callable[[], None] = lambda: None
        self.passes_losses = False
        self.was_measured = False  # the step that has just ended
        self._roots = dict(roots)
        modules, self.measured.layers, owners = layers_of(self._roots)
        self.measured.net = read_net(self._roots)
        self.measured.net.layers = len(self.measured.layers)
        names = Names(owners)
        recurrent = {name for name, module in modules.items() if isinstance(module, nn.RNNBase | nn.RNNCellBase)}
        layers = {} if self.measured.net.compiled else modules
        self._layers = LayerProbe(self.measured, layers)
        self._inputs = InputProbe(self.measured)
        self._samples = SampleProbe(self.measured)
        self._labels = LabelProbe(self.measured)
        self._evaluations = EvaluationProbe(self.measured, self._samples, self.held_out)
        self._activations = ActivationProbe(self.measured, names, recurrent)
        nets = list(self._roots.values())
        self._loss = LossProbe(self.measured, names, nets, self._activations, self._labels, self.sites, guard.within)
        self.optimisers = OptimiserProbe(self.measured, owners, self._loss.strangers, self.sites)
        self._schedulers = SchedulerProbe(self.measured, self.optimisers)
        self.heard = CallProbes(self.measured, self._roots, self.held_out)
        self._loss.met = self.heard.met
        self.pace = Pace()
        self._steps = StepPlan(schedule, self.pace)
        self._hearing = Hearing(ModuleCalls(self._roots, layers, self, patches), self._steps)
        self._owners = owners
        self._input: torch.Tensor | None = None
        self._outputs: list[torch.Tensor] = []  # of this step's training passes
        self._only: int | None = None  # id of the optimiser, where there is one alone
        self._lead = Lead()
        self._stepping: list[Any] = []  # optimisers whose step is under way, the outermost first
        self._by_hand = Handwork(self._roots.values())
        self._mode = True  # of the last training pass
        self._trains_in_eval = False
        self._loss_calls = self._forwards = self._backwards = 0  # in this step
        self._waited_since = self._forward_began = 0.0
        self._nested = False  # an optimiser steps within the step of another one
        self._steps_switch = False  # the optimiser switches gradients off itself, in its step
        self._hearing.plan()

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
        self.lane.add(loss)
        if not self.lane.passes():
            self._guard(self._leave_quiet)
        return True

    def forward_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self.measured.forwards += 1
        if self._steps.quiet and module.training and torch.is_grad_enabled():
            self._forwards += 1
            self._mode = True
            if self._steps.sampling and self._forwards == 1:
                self._guard(self._sample, args, kwargs)
            if self._hearing.awake:
                self._hearing.sleep(evaluated=self._evaluations.running)
            return
        if is_transformed():
            self._guard(self._by_hand.see_given, module)
            return
        doubtful = not module.training and self.measured.step > 0 and not self._trains_in_eval
        if doubtful or not torch.is_grad_enabled():
            self._guard(self._evaluation_begins, module, args, kwargs)
            if not doubtful or not torch.is_grad_enabled():
                return
        self._mode = module.training
        self._forwards += 1
        self._given = args, kwargs
        if self._steps.measuring:
            self._guard(self.heard.called, module, args, kwargs, self.step, first=not self._backwards)
        if self._forwards == 1:
            self._guard(self._training_begins, args, kwargs, known=not doubtful)

    def forward_ends(self, output: Any) -> None:
        self.evaluating = False
        self._given = None
        if self._evaluations.running and not torch.is_grad_enabled():
            self._guard(self._evaluations.answered, output)
        elif self._steps.measuring and torch.is_grad_enabled() and len(self._outputs) < _MOST_OUTPUTS:
            self._guard(self._outputs.extend, all_tensors(output)[:1])
            self._guard(self.heard.answered, output)

    def layer_called(self, name: str, output: Any) -> None:
        if self._steps.measuring:
            self._guard(self._layers.see, name, output)

    def may_evaluate(self) -> None:
        if self._stepping:
            self._steps_switch = True
        elif self._steps.quiet:
            self._leave_lane()
            self._hearing.wake()

    def loss_computed(self, call: LossCall, result: torch.Tensor) -> None:
        if result.requires_grad:
            self._loss_calls += 1
            if not self._steps.quiet:
                self._guard(self.sites.note_loss, result, self.step)
            if self._steps.measuring:
                self._guard(self.heard.lost, call, result, self.step)
            if self._loss_calls == 1 and not self._labels.closed:
                self._guard(self._labels.computed, call, self.step, self._input, self._given, bool(self._forwards))
        elif self._evaluations.running:
            self._guard(self._evaluations.loss, call, result)
        elif self.lane.left:
            self._hearing.wake(doubtful=True)
            if self._hearing.awake:
                self._leave_lane()

    def loss_refused(self, call: LossCall) -> None:
        self._guard(self.sites.note, "loss", 0)
        self._guard(self._labels.refused, call, self.step)

    def backward_begins(self, tensors: Sequence[Any]) -> None:
        ordinary = self._steps.quiet and not self._evaluations.running and self.scaling.loss is None
        if ordinary and len(tensors) == 1 and self._loss.ordinary(tensors[0]):
            self.measured.backwards += 1
            return
        self._guard(self._backward_begins, tensors)

    def gradients_taken(self, tensors: Sequence[Any], inputs: Sequence[Any], *, create_graph: bool) -> None:
        if is_transformed():
            self._guard(self._transformed_gradients, tensors)
        elif not create_graph and any(id(one) in self._owners for one in inputs):
            self._guard(self._backward_begins, tensors, accumulates=False)

    def scaled(self, outputs: Any) -> None:
        self.scaling.scaled(outputs)

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        self.scaling.clipped(self.step)
        if self._steps.measuring:
            self._guard(self.optimisers.clipped, limit, norm, kind)

    def scheduler_stepped(self, scheduler: Any, args: tuple[Any, ...]) -> None:
        self._guard(self._schedulers.stepped, scheduler, args)
        self._guard(self.sites.note, "scheduler", self.step)

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
            self._guard(self.optimisers.before, optimizer, self.step, measuring=self._steps.measuring)
            return None

        def observed() -> Any:
            loss = closure()
            self._guard(self.optimisers.before, optimizer, self.step, measuring=self._steps.measuring)
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
            self._loss.end_step(read=False)
            self._forwards = self._loss_calls = 0
            self._stepping.clear()
            if self._hearing.awake:
                self._hearing.sleep(evaluated=self._evaluations.running)
            if measured.step + 1 >= steps.next:
                self._guard(self._leave_quiet)
            else:
                self._enter_lane()
            return
        self._leave_lane()
        self._guard(self._after_step, optimizer)

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
        waits = self._evaluations.running or self.scaling.loss is not None or self._stepping or self._nested
        several = measured.losses_per_step > 1 or measured.scaled or measured.loss.heard is not None
        if self.passes_losses and self._hearing.silent and not (waits or several):
            self.lane.open(self._steps.next - self.step, asked_before=self._steps_switch)

    def _leave_lane(self) -> None:
        """What comes is to be looked at, or may be."""
        if self.lane.entered:
            self.catch_up()
            begun = self.lane.close()
            self._measured.backwards += len(begun)
            self._loss.begun(begun)

    def _sample(self, args: Any, kwargs: Any) -> None:
        """Take up the batch of an ordinary step; with the last one that is wanted, calls are heard no longer."""
        inputs = batch_of(args, kwargs)
        if inputs is not None:
            self._samples.train(inputs, self.step)
        if self._samples.closed:
            self._hearing.collected()

    def _evaluation_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self.evaluation_begins(module)
        self.sites.note("evaluation", self.step)
        self._evaluations.forward(batch_of(args, kwargs), training=module.training)

    def _training_begins(self, args: Any, kwargs: Any, *, known: bool) -> None:
        now = time.perf_counter()
        if not self._evaluations.running and self._waited_since:
            self.measured.timing.wait.add(self.step, now - self._waited_since)
        self._forward_began = now
        self.sites.note("forward", self.step)
        if known:
            self.held_out.trains()
            self._guard.within(self.draws.trains)
        inputs = self._input = batch_of(args, kwargs)
        if inputs is None:
            tensors = all_tensors((args, kwargs))
            self.measured.unread["inputs"] = unreadable(tensors[0]) if tensors else NO_TENSOR
            return
        self.measured.unread.pop("inputs", None)
        if self._steps.measuring:
            self._guard.within(self._inputs.see, inputs, self.step)
        if known and not self._samples.closed:
            self._guard.within(self._samples.train, inputs, self.step)

    def _transformed_gradients(self, tensors: Sequence[Any]) -> None:
        """torch.func computes the gradient of a loss, from parameters of its own."""
        root = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], torch.Tensor) else None
        if root is None or unwrapped(root).numel() != 1 or not self._by_hand.is_given:
            return
        with outside_transforms():
            self.measured.functional += 1
            self.measured.backwards += 1
            if not self.measured.optimisers and self._by_hand.has_moved_given():
                self._end_step_by_hand()
            self._loss.value(unwrapped(root).detach())
            if self._steps.measuring and self._readable:
                self._guard.within(self._loss.read, root, self.step, (), from_loss_calls=False)

    def _backward_begins(self, tensors: Sequence[Any], *, accumulates: bool = True) -> None:
        root = next((one for one in tensors if isinstance(one, torch.Tensor)), None)
        if root is None or is_traced() or is_transformed():
            return
        self.sites.note("backward", self.step)
        if self._evaluations.running:
            self._close_evaluations()
        if self._moves_by_hand and self._by_hand.has_moved():
            self._end_step_by_hand()
        self.measured.backwards += 1
        if accumulates:
            self._backwards += 1
            fresh = self._forwards >= self._backwards and not self.heard.of_inputs
            self.optimisers.backward_begins(measuring=self._steps.measuring, fresh=fresh)
        loss = self.scaling.backward_begins(root)
        if self._loss.value(loss) and self.measured.nonfinite_at is None:
            self._guard.within(self._find_nonfinite, root)
        self.measured.training_modes.add(self.step, float(self._mode))
        if self._steps.measuring and self._readable:
            calls = self._loss_calls > 0
            self._guard.within(self._loss.read, root, self.step, self._outputs, self._input, from_loss_calls=calls)
        if self.measured.step == 0 and self.measured.backwards in _STEPLESS:
            self._hearing.stepless()
            self.stepped()

    @property
    def _moves_by_hand(self) -> bool:
        """Whether the weights are moved by nobody that we know of, now that the next backward pass begins."""
        return not self._stepping and not any(one.steps for one in self.measured.optimisers)

    def _find_nonfinite(self, root: torch.Tensor) -> None:
        inputs = self._loss.nonfinite(root, self.step, self._input, readable=self._readable)
        self._inputs.see_nonfinite(inputs, self.step)

    def _end_step_by_hand(self) -> None:
        """The step before ended when somebody changed the weights; the forward pass since then is of the new one."""
        self.measured.stale_by_hand = self._by_hand.stale
        kept = self._input, list(self._outputs), self._forwards, self._loss_calls, self._readable
        self._end_step(self.measured.step + 1)
        self._input, outputs, self._forwards, self._loss_calls, self._readable = kept
        self._outputs.extend(outputs)

    def _close_evaluations(self) -> None:
        """A step is under way: what ran before it was an evaluation, but for the pass that this very backward is of."""
        if not self._mode and self._forwards:
            self._trains_in_eval = True
            self._evaluations.withdraw()
        self._evaluations.end(self.step)

    def _after_step(self, optimizer: Any) -> None:
        place = next((n for n, one in enumerate(self._stepping) if one is optimizer), len(self._stepping))
        del self._stepping[place:]
        if any(self.optimisers.is_same(optimizer, outer) for outer in self._stepping):
            return  # the step of the one around it goes on
        record = self.optimisers.after(optimizer, self.measured.step + 1, measuring=self._steps.measuring)
        if record is None:
            self.measured.foreign_steps += 1
            return
        if self._lead.ends(record, self.measured.step):
            self._end_step(self.measured.step + 1)

    def _end_step(self, step: int) -> None:
        if self._forward_began:
            self.measured.timing.work.add(step, time.perf_counter() - self._forward_began)
            self._forward_began = 0.0
        found = self._loss.end_step(read=self._steps.measuring)
        if found:
            self._guard.within(self._loss.nonfinite, None, step, self._input, readable=False)
        if self._steps.measuring:
            self._guard.within(self._layers.end_step, step)
            self._guard.within(self.heard.end_step, step)
            self._guard.within(self._averaged.trained)
        if step == 1:
            self.pace.size(self._loss.operations, len(self._owners), self._layers.products)
        self.measured.step = step
        self._forwards = self._loss_calls = self._backwards = 0
        self._input = None
        self._outputs.clear()
        self.sites.end_step()
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
        self._only = self.optimisers.only
        self._steps.plan(self.step, wanted=self._only is None, samples=not self._samples.closed)
        quiet = self._steps.quiet
        self.passes_losses = quiet and self._labels.closed
        self._hearing.plan()
        self._enter_lane()

    def refresh(self) -> None:
        """Bring up to date what is read only before judging."""
        self._samples.flush()
        self.measured.samples_seen = self._samples.samples
        self._labels.flush()
        self._labels.spread()
        self.optimisers.read_held(self._roots, self._loss.reached)
        self.code.read()

    def _finish(self) -> None:
        if self._moves_by_hand and self.measured.backwards and self._by_hand.has_moved():
            self._end_step(self.measured.step + 1)
        self._evaluations.end(self.step)
        self._loss.end_step(read=True)
        self._layers.end_step(self.step)
        self._guard.within(self.heard.end)
        self._guard.within(self._averaged.end, self.measured.step)
        self.refresh()
        self.measured.net.silent_scheduler = self.optimisers.has_silent_scheduler(self.code.waits_to_schedule)
        self.measured.ended = True
