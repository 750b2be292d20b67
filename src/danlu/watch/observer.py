"""Hears of everything that goes by in a watched block, knows where the steps are, and sends each fact to its probe.

Every method that torch calls has a short way for the steps that are not measured: they are nearly all, and must cost
next to nothing.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.budget import Budget
from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.activations import ActivationProbe
from danlu.watch.probes.evaluations import EvaluationProbe
from danlu.watch.probes.graph import Names
from danlu.watch.probes.handwork import Handwork
from danlu.watch.probes.inputs import InputProbe, SampleProbe
from danlu.watch.probes.labels import LabelProbe
from danlu.watch.probes.layers import LayerProbe, first_tensor, layers_of
from danlu.watch.probes.losses import LossProbe
from danlu.watch.probes.optimisers import OptimiserProbe
from danlu.watch.probes.schedulers import SchedulerProbe
from danlu.watch.probes.structure import read_net, read_optimised, unlisted_parameters
from danlu.watch.schedule import Schedule, always

_MOST_OUTPUTS = 8
_STEPLESS = (50, 200, 800)  # backward passes without any step at which to judge
_LOOKED_AT = 32  # of the steps that are not measured, every so many gives its times and its learning rate
_QUIET_AFTER = 64
_TRY_AGAIN = 8  # steps after which a measurement that was put off is tried again


class Observer:
    """The one listener of a watched block. Its public methods are called from hooks and never raise."""

    def __init__(self, roots: Mapping[str, nn.Module], schedule: Schedule, guard: Guard) -> None:
        self.measured = Measured()
        self.stepped: Callable[[], None] = lambda: None
        self.measuring = schedule(1)
        self.passes_losses = False
        self.was_measured = False  # the step that has just ended
        self._schedule = schedule
        self._guard = guard
        self._roots = dict(roots)
        modules, self.measured.layers, owners = layers_of(self._roots)
        self.measured.net = read_net(self._roots)
        self.measured.net.layers = len(self.measured.layers)
        names = Names(owners)
        recurrent = {name for name, module in modules.items() if isinstance(module, nn.RNNBase | nn.RNNCellBase)}
        self._layers = LayerProbe(self.measured, {} if self.measured.net.compiled else modules, guard)
        self._inputs = InputProbe(self.measured)
        self._samples = SampleProbe(self.measured)
        self._labels = LabelProbe(self.measured)
        self._evaluations = EvaluationProbe(self.measured, self._samples)
        self.optimisers = OptimiserProbe(self.measured, owners)
        self._schedulers = SchedulerProbe(self.measured, self.optimisers)
        activations = ActivationProbe(self.measured, names, recurrent)
        self._loss = LossProbe(
            self.measured, names, list(self._roots.values()), activations, self._labels, guard.within
        )
        self.budget = Budget()
        self._unscaled: torch.Tensor | None = None
        self._input: torch.Tensor | None = None
        self._outputs: list[torch.Tensor] = []  # of this step's training passes
        self._given: Any = ()  # what the net was given in an ordinary step
        self._only: int | None = None  # id of the optimiser, where there is one alone
        self._ahead: dict[int, int] = {}  # steps of the whole before an optimiser's first, by id of its record
        self._stepped: set[int] = set()  # the optimisers that stepped in this step, but for the one that leads
        self._by_hand = Handwork(self._roots.values())
        self._mode = True  # of the last training pass
        self._trains_in_eval = False
        self._loss_calls = self._forwards = 0  # in this step
        self._readable = True  # saved tensors are the graph's own
        self._waited_since = self._forward_began = 0.0
        self._next = 1  # the next step that is not an ordinary one
        self._put_off = 0  # the step at which to try again a measurement that was not affordable
        self._quiet = False  # this step is an ordinary one: count it, take its loss, nothing else
        if self.measuring:
            self._layers.attach()

    @property
    def step(self) -> int:
        """The number of the step that is under way."""
        return self.measured.step + 1

    def forward_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._quiet and module.training and torch.is_grad_enabled():
            self._forwards += 1
            self._given = args
            return
        doubtful = not module.training and self.measured.step > 0 and not self._trains_in_eval
        if doubtful or not torch.is_grad_enabled():
            self._guard(self._evaluation_begins, module, args, kwargs)
            if not doubtful or not torch.is_grad_enabled():
                return
        self._mode = module.training
        self._forwards += 1
        if self._forwards == 1:
            self._guard(self._training_begins, args, kwargs, known=not doubtful)

    def forward_ends(self, output: Any) -> None:
        if self.measuring and torch.is_grad_enabled():
            tensor = first_tensor(output)
            if tensor is not None and len(self._outputs) < _MOST_OUTPUTS:
                self._outputs.append(tensor)

    def loss_computed(self, call: LossCall, result: torch.Tensor) -> None:
        if result.requires_grad:
            self._loss_calls += 1
            if self._loss_calls == 1 and not self._labels.closed:
                self._guard(self._labels_seen, call)
        elif self._evaluations.running:
            self._guard(self._evaluations.loss, call, result)

    def loss_refused(self, call: LossCall) -> None:
        self._guard(self._loss_refused, call)

    def dropped(self, rate: float) -> None:
        net = self.measured.net
        if rate > net.plain_dropout:
            net.plain_dropout = float(rate)

    def backward_begins(self, tensors: Any) -> None:
        ordinary = self._quiet and not self._evaluations.running and self._unscaled is None
        if ordinary and isinstance(tensors, torch.Tensor):
            if not self._loss.value(tensors):
                self.measured.backwards += 1
                return
            self._loss.withdraw()
        self._guard(self._backward_begins, tensors)

    def scaled(self, outputs: Any) -> None:
        if isinstance(outputs, torch.Tensor):
            self.measured.scaled = True
            self._unscaled = outputs.detach()

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        if self.measuring:
            self._guard(self.optimisers.clipped, limit, norm, kind)

    def scheduler_stepped(self, scheduler: Any, args: tuple[Any, ...]) -> None:
        self._guard(self._schedulers.stepped, scheduler, args)

    def saved_elsewhere(self) -> None:
        self._readable = False

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        """Before an optimiser's step; where it was given a closure, that takes its place as the moment to measure."""
        if self._quiet:
            return None
        closure = kwargs.get("closure")
        closure = args[1] if closure is None and len(args) > 1 else closure
        if not callable(closure):
            self._guard(self.optimisers.before, optimizer, self.step, measuring=self.measuring)
            return None

        def observed() -> Any:
            loss = closure()
            self._guard(self.optimisers.before, optimizer, self.step, measuring=self.measuring)
            return loss

        if kwargs.get("closure") is not None:
            return args, {**kwargs, "closure": observed}
        return (args[0], observed, *args[2:]), kwargs

    def after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._quiet and id(optimizer) == self._only:
            self.measured.step += 1
            self.measured.optimisers[0].steps += 1
            self._loss.end_step(read=False)
            self._forwards = self._loss_calls = 0
            if self.measured.step + 1 >= self._next:
                self._guard(self._leave_quiet)
            return
        self._guard(self._after_step, optimizer)

    def finish(self) -> None:
        """The block is left: read all that still waits."""
        self._guard(self._finish)

    def detach(self) -> None:
        """Take the hooks off the layers."""
        self._layers.detach()

    def _evaluation_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._evaluations.forward(_inputs(args, kwargs), training=module.training)

    def _training_begins(self, args: Any, kwargs: Any, *, known: bool) -> None:
        now = time.perf_counter()
        if not self._evaluations.running and self._waited_since:
            self.measured.timing.wait.add(self.step, now - self._waited_since)
        self._forward_began = now
        inputs = self._input = _inputs(args, kwargs)
        if inputs is None:
            return
        if self.measuring:
            self._guard.within(self._inputs.see, inputs, self.step)
        if known and not self._samples.closed:
            self._guard.within(self._samples.train, inputs, self.step)

    def _labels_seen(self, call: LossCall) -> None:
        kind, targets, outputs = call.kind, call.targets, call.outputs
        if kind == "divergence":
            if self.step <= 3 and outputs.dim() == 2:
                self.measured.divergence_sum = float(outputs.detach().exp().sum(1).mean())
            return
        if kind == "classes" and targets.dtype.is_floating_point:
            return
        samples = len(self._input) if self._input is not None and self._input.dim() else len(targets)
        dense = kind == "classes" and (targets.dim() > 1 or len(targets) != samples)
        count = outputs.shape[1] if kind == "classes" and outputs.dim() > 1 else 2
        self._labels.see(kind, count, targets, self.step, dense=dense, weighted=call.weighted)

    def _loss_refused(self, call: LossCall) -> None:
        targets, outputs = call.targets, call.outputs
        if not targets.numel() or not outputs.numel():
            return
        self.measured.refused = call.name
        self.measured.refused_low, self.measured.refused_high = float(outputs.min()), float(outputs.max())
        facts = self.measured.labels
        facts.kind = call.kind
        facts.outputs = outputs.shape[1] if outputs.dim() > 1 else 1
        facts.low, facts.high = float(targets.min()), float(targets.max())
        if facts.kind == "classes" and (facts.high >= facts.outputs or facts.low < 0):
            facts.out_of_range = self.step

    def _backward_begins(self, tensors: Any) -> None:
        root = tensors if isinstance(tensors, torch.Tensor) else first_tensor(tensors)
        if root is None:
            return
        if self._evaluations.running:
            self._close_evaluations()
        if not any(one.steps for one in self.measured.optimisers) and self._by_hand.has_moved():
            self._end_step_by_hand()
        self.measured.backwards += 1
        self.optimisers.backward_begins(measuring=self.measuring)
        loss = self._unscaled if self._unscaled is not None else root
        self._unscaled = None
        if self._loss.value(loss) and self.measured.nonfinite_at is None:
            if self._input is None:
                self._input = first_tensor(self._given)
            self._guard.within(self._loss.nonfinite, root, self.step, self._input, readable=self._readable)
            self._guard.within(self._inputs.see_nonfinite, self._input, self.step)
        self.measured.training_modes.add(self.step, float(self._mode))
        if self.measuring and self._readable:
            calls = self._loss_calls > 0
            self._guard.within(self._loss.read, root, self.step, self._outputs, from_loss_calls=calls)
        if self.measured.step == 0 and self.measured.backwards in _STEPLESS:
            self._layers.detach()
            self.stepped()

    def _end_step_by_hand(self) -> None:
        """The step before ended when somebody changed the weights; the forward pass since then is of the new one."""
        kept = self._input, self._given, list(self._outputs), self._forwards, self._loss_calls, self._readable
        self._end_step(self.measured.step + 1)
        self._input, self._given, outputs, self._forwards, self._loss_calls, self._readable = kept
        self._outputs.extend(outputs)

    def _close_evaluations(self) -> None:
        """A step is under way: what ran before it was an evaluation, but for the pass that this very backward is of."""
        if not self._mode and self._forwards:
            self._trains_in_eval = True
            self._evaluations.withdraw()
        self._evaluations.end(self.step)

    def _after_step(self, optimizer: Any) -> None:
        record = self.optimisers.after(optimizer, self.measured.step + 1, measuring=self.measuring)
        if record is None:
            return
        # With several optimisers a step of the whole ends when the one that leads has made its next; the lead goes to
        # one that steps twice while the others rest. With optimisers made anew, whenever one steps.
        ahead = self._ahead.get(id(record), 0)
        leads = record.steps + ahead > self.measured.step
        if leads or record.recreated or id(record) in self._stepped:
            self._ahead[id(record)] = self.measured.step + 1 - record.steps
            self._stepped.clear()
            self._end_step(self.measured.step + 1)
        else:
            self._stepped.add(id(record))

    def _end_step(self, step: int) -> None:
        now = time.perf_counter()
        self.budget.end_step(now, step, measured=self.measuring)
        if self._forward_began:
            self.measured.timing.work.add(step, now - self._forward_began)
            self._forward_began = 0.0
        found = self._loss.end_step(read=self.measuring)
        if found:
            self._guard.within(self._loss.nonfinite, torch.zeros(()), step, self._input, readable=False)
        if self.measuring:
            self._guard.within(self._layers.end_step, step)
        self.measured.step = step
        self._forwards = self._loss_calls = 0
        self._input = None
        self._given = ()
        self._outputs.clear()
        self._readable = True
        self.was_measured = self.measuring
        self._plan(step + 1)
        self.stepped()
        self.budget.resume(self.measured.step)
        self._waited_since = 0.0 if self._quiet else time.perf_counter()

    def _leave_quiet(self) -> None:
        """The ordinary steps are over: the next one may be one to measure."""
        self.was_measured = False
        self._plan(self.measured.step + 1)
        self.stepped()
        self.budget.resume(self.measured.step)
        self._waited_since = 0.0 if self._quiet else time.perf_counter()

    def _plan(self, step: int) -> None:
        """Decide what the coming step will be: measured, looked at, or an ordinary one up to the next that is not."""
        due = self._schedule(step) or step == self._put_off
        measuring = due and (always(step) or self.budget.allows(step))
        self._put_off = step + _TRY_AGAIN if due and not measuring else self._put_off
        if measuring != self.measuring:
            (self._layers.attach if measuring else self._layers.detach)()
            self.measuring = measuring
        looked_at = step % _LOOKED_AT == 0 or step <= _QUIET_AFTER or not self._samples.closed
        self._only = self.optimisers.only
        self._quiet = not measuring and not looked_at and self._only is not None
        self.passes_losses = self._quiet and self._labels.closed
        if self._quiet:
            self._next = step + 1
            while not (self._schedule(self._next) or self._next % _LOOKED_AT == 0 or self._next == self._put_off):
                self._next += 1

    def refresh(self) -> None:
        """Bring up to date what is read only before judging."""
        self._samples.flush()
        self.measured.samples_seen = self._samples.samples
        self._labels.flush()
        self._labels.spread()
        read_optimised(self.measured.net, self._roots, self._loss.reached, self.optimisers.moved)
        self.measured.net.unregistered = len(self._loss.strangers - self.optimisers.elsewhere)
        self.measured.net.unlisted = len(self._loss.strangers & unlisted_parameters(list(self._roots.values())))
        self.measured.net.unreached = self.optimisers.unreached(self._roots, self._loss.reached)

    def _finish(self) -> None:
        self._evaluations.end(self.step)
        self._loss.end_step(read=True)
        self._layers.end_step(self.step)
        self.refresh()
        self.measured.net.silent_scheduler = self.optimisers.has_silent_scheduler()
        self.measured.ended = True


def _inputs(args: Any, kwargs: Any) -> torch.Tensor | None:
    found = first_tensor(args)
    return first_tensor(kwargs) if found is None else found
