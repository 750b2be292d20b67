"""Hears of all that goes by in a watched block, and sends each fact to its probe: calls, losses and backward passes.
The steps, and what a loop does beside them, are heard in the classes that this one stands on.

Every method that torch calls has a short way for the steps that are not measured: they are nearly all, and must cost
next to nothing.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from danlu.watch.calls import ModuleCalls
from danlu.watch.guard import Guard
from danlu.watch.hearing import Hearing
from danlu.watch.measured import NO_TENSOR
from danlu.watch.patches import LossCall, Patches
from danlu.watch.probes.inputs import batch_of
from danlu.watch.schedule import Schedule
from danlu.watch.step_listener import StepListener
from danlu.watch.tracing import all_tensors, is_traced, is_transformed, outside_transforms, unreadable, unwrapped

_MOST_OUTPUTS = 8
_STEPLESS = (50, 200, 800)  # backward passes without any step at which to judge


class Observer(StepListener):
    """The one listener of a watched block. Its public methods are called from hooks and never raise."""

    def __init__(self, roots: Mapping[str, nn.Module], schedule: Schedule, guard: Guard, patches: Patches) -> None:
        super().__init__(roots, schedule, guard)
        self._mode = True  # of the last training pass
        self._trains_in_eval = False
        self.hear(Hearing(ModuleCalls(self._roots, self.probes.modules, self, patches), self._steps))

    def forward_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self.measured.forwards += 1
        if self._steps.quiet and module.training and torch.is_grad_enabled():
            self._forwards += 1
            self._mode = True
            if self._steps.sampling and self._forwards == 1:
                self._guard(self._sample, args, kwargs)
            if self._hearing.awake:
                self._hearing.sleep(evaluated=self.probes.evaluations.running)
            return
        if is_transformed():
            self._guard(self.probes.by_hand.see_given, module)
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
            self._guard(self.probes.heard.called, module, args, kwargs, self.step, first=not self._backwards)
        if self._forwards == 1:
            self._guard(self._training_begins, args, kwargs, known=not doubtful)

    def forward_ends(self, output: Any) -> None:
        self.evaluating = False
        self._given = None
        if self.probes.evaluations.running and not torch.is_grad_enabled():
            self._guard(self.probes.evaluations.answered, output)
        elif self._steps.measuring and torch.is_grad_enabled() and len(self._outputs) < _MOST_OUTPUTS:
            self._guard(self._outputs.extend, all_tensors(output)[:1])
            self._guard(self.probes.heard.answered, output)

    def layer_called(self, name: str, output: Any) -> None:
        if self._steps.measuring:
            self._guard(self.probes.layers.see, name, output)

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
                self._guard(self.probes.sites.note_loss, result, self.step)
            if self._steps.measuring:
                self._guard(self.probes.heard.lost, call, result, self.step)
            if self._loss_calls == 1 and not self.probes.labels.closed:
                self._guard(
                    self.probes.labels.computed, call, self.step, self._input, self._given, bool(self._forwards)
                )
        elif self.probes.evaluations.running:
            self._guard(self.probes.evaluations.loss, call, result)
        elif self.lane.left:
            self._hearing.wake(doubtful=True)
            if self._hearing.awake:
                self._leave_lane()

    def loss_refused(self, call: LossCall) -> None:
        self._guard(self.probes.sites.note, "loss", 0)
        self._guard(self.probes.labels.refused, call, self.step)

    def backward_begins(self, tensors: Sequence[Any]) -> None:
        ordinary = self._steps.quiet and not self.probes.evaluations.running and self.scaling.loss is None
        if ordinary and len(tensors) == 1 and self.probes.loss.ordinary(tensors[0]):
            self.measured.backwards += 1
            return
        self._guard(self._backward_begins, tensors)

    def gradients_taken(self, tensors: Sequence[Any], inputs: Sequence[Any], *, create_graph: bool) -> None:
        if is_transformed():
            self._guard(self._transformed_gradients, tensors)
        elif not create_graph and any(id(one) in self.probes.owners for one in inputs):
            self._guard(self._backward_begins, tensors, accumulates=False)
        elif not create_graph and self._steps.measuring:
            self._guard(self.derivatives.taken, tensors)

    def scaled(self, outputs: Any) -> None:
        self._leave_lane()
        self.scaling.scaled(outputs)

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        self.scaling.clipped(self.step)
        if self._steps.measuring:
            self._guard(self.probes.optimisers.clipped, limit, norm, kind)

    def scheduler_stepped(self, scheduler: Any, args: tuple[Any, ...]) -> None:
        self._guard(self.probes.schedulers.stepped, scheduler, args)
        self._guard(self.probes.sites.note, "scheduler", self.step)

    def _sample(self, args: Any, kwargs: Any) -> None:
        """Take up the batch of an ordinary step; with the last one that is wanted, calls are heard no longer."""
        inputs = batch_of(args, kwargs)
        if inputs is not None:
            self.probes.samples.train(inputs, self.step)
        if self.probes.samples.closed:
            self._hearing.collected()

    def _evaluation_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self.evaluation_begins(module)
        self.probes.sites.note("evaluation", self.step)
        self.probes.evaluations.forward(batch_of(args, kwargs), training=module.training)

    def _training_begins(self, args: Any, kwargs: Any, *, known: bool) -> None:
        now = time.perf_counter()
        if not self.probes.evaluations.running and self._waited_since:
            self.measured.timing.wait.add(self.step, now - self._waited_since)
        self._forward_began = now
        self.probes.sites.note("forward", self.step)
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
            self._guard.within(self.probes.inputs.see, inputs, self.step)
        if known and not self.probes.samples.closed:
            self._guard.within(self.probes.samples.train, inputs, self.step)

    def _transformed_gradients(self, tensors: Sequence[Any]) -> None:
        """torch.func computes the gradient of a loss, from parameters of its own."""
        root = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], torch.Tensor) else None
        if root is None or unwrapped(root).numel() != 1 or not self.probes.by_hand.is_given:
            return
        with outside_transforms():
            self.measured.functional += 1
            self.measured.backwards += 1
            if not self.measured.optimisers and self.probes.by_hand.has_moved_given():
                self._end_step_by_hand()
            self.probes.loss.value(unwrapped(root).detach())
            if self._steps.measuring and self._readable:
                self._guard.within(self.probes.loss.read, root, self.step, (), from_loss_calls=False)

    def _backward_begins(self, tensors: Sequence[Any], *, accumulates: bool = True) -> None:
        root = next((one for one in tensors if isinstance(one, torch.Tensor)), None)
        if root is None or is_traced() or is_transformed():
            return
        self.probes.sites.note("backward", self.step)
        if self.probes.evaluations.running:
            self._close_evaluations()
        if self._moves_by_hand and self.probes.by_hand.has_moved():
            self._end_step_by_hand()
        self.measured.backwards += 1
        if accumulates:
            self._backwards += 1
            fresh = self._forwards >= self._backwards and not self.probes.heard.of_inputs
            self.probes.optimisers.backward_begins(measuring=self._steps.measuring, fresh=fresh)
        loss = self.scaling.backward_begins(root)
        if self.probes.loss.value(loss) and self.measured.nonfinite_at is None:
            self._guard.within(self._find_nonfinite, root)
        self.measured.training_modes.add(self.step, float(self._mode))
        if self._steps.measuring and self._readable:
            calls = self._loss_calls > 0
            self._guard.within(
                self.probes.loss.read, root, self.step, self._outputs, self._input, from_loss_calls=calls
            )
        if self.measured.step == 0 and self.measured.backwards in _STEPLESS:
            self._hearing.stepless()
            self.stepped()

    def _find_nonfinite(self, root: torch.Tensor) -> None:
        inputs = self.probes.loss.nonfinite(root, self.step, self._input, readable=self._readable)
        self.probes.inputs.see_nonfinite(inputs, self.step)

    def _close_evaluations(self) -> None:
        """A step is under way: what ran before it was an evaluation, but for the pass that this very backward is of."""
        if not self._mode and self._forwards:
            self._trains_in_eval = True
            self.probes.evaluations.withdraw()
        self.probes.evaluations.end(self.step)
