"""Hears of everything that goes by in a watched block, knows where the steps are, and sends each fact to its probe."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.probes.activations import ActivationProbe
from danlu.watch.probes.evaluations import EvaluationProbe
from danlu.watch.probes.graph import Names
from danlu.watch.probes.inputs import InputProbe, SampleProbe
from danlu.watch.probes.labels import LabelProbe
from danlu.watch.probes.layers import LayerProbe, first_tensor, layers_of
from danlu.watch.probes.losses import LossProbe
from danlu.watch.probes.optimisers import OptimiserProbe
from danlu.watch.probes.structure import read_net, read_optimised
from danlu.watch.schedule import Schedule

_KINDS = {
    "cross_entropy": "classes",
    "nll_loss": "classes",
    "binary_cross_entropy": "binary",
    "binary_cross_entropy_with_logits": "binary",
}
_MOST_OUTPUTS = 8
_STEPLESS = 50  # backward passes without a step after which measuring pauses


class Observer:
    """The one listener of a watched block. Its public methods are called from hooks and never raise."""

    def __init__(self, roots: Mapping[str, nn.Module], schedule: Schedule, guard: Guard) -> None:
        self.measured = Measured()
        self.stepped: Callable[[], None] = lambda: None
        self._schedule = schedule
        self._guard = guard
        self._roots = dict(roots)
        modules, self.measured.layers, owners = layers_of(self._roots)
        self.measured.net = read_net(self._roots, self.measured.layers, owners)
        names = Names(owners)
        recurrent = {name for name, module in modules.items() if isinstance(module, nn.RNNBase | nn.RNNCellBase)}
        self._layers = LayerProbe(self.measured, {} if self.measured.net.compiled else modules, guard)
        self._inputs = InputProbe(self.measured)
        self._samples = SampleProbe(self.measured)
        self._labels = LabelProbe(self.measured)
        self._evaluations = EvaluationProbe(self.measured, self._samples)
        self.optimisers = OptimiserProbe(self.measured, owners)
        activations = ActivationProbe(self.measured, names, recurrent)
        self._loss = LossProbe(self.measured, names, modules, activations, self._labels, guard.within)
        self._measuring = schedule(1)
        self._unscaled: torch.Tensor | None = None
        self._input: torch.Tensor | None = None
        self._outputs: list[torch.Tensor] = []  # of this step's training passes
        self._mode = True  # of the last training pass
        self._trains_in_eval = False
        self._loss_calls = self._forwards = 0  # in this step
        self._readable = True  # saved tensors are the graph's own
        self._step_ended = self._forward_began = 0.0
        if self._measuring:
            self._layers.attach()

    @property
    def step(self) -> int:
        """The number of the step that is under way."""
        return self.measured.step + 1

    def forward_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._guard(self._forward_begins, module, args, kwargs)

    def forward_ends(self, output: Any) -> None:
        if self._measuring and torch.is_grad_enabled():
            tensor = first_tensor(output)
            if tensor is not None and len(self._outputs) < _MOST_OUTPUTS:
                self._outputs.append(tensor)

    def loss_computed(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        self._guard(self._loss_computed, name, args, kwargs, result)

    def loss_refused(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._guard(self._loss_refused, name, args, kwargs)

    def dropped(self, rate: float) -> None:
        net = self.measured.net
        net.plain_dropout = max(float(rate), net.plain_dropout)

    def backward_begins(self, tensors: Any) -> None:
        self._guard(self._backward_begins, tensors)

    def scaled(self, outputs: Any) -> None:
        self._guard(self._scaled, outputs)

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        self._guard(self.optimisers.clipped, limit, norm, kind)

    def scheduler_stepped(self, scheduler: Any, args: tuple[Any, ...]) -> None:
        self._guard(self.optimisers.scheduler_stepped, scheduler, args)

    def saved_elsewhere(self) -> None:
        self._readable = False

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        """Before an optimiser's step; where it was given a closure, that takes its place as the moment to measure."""
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if not callable(closure):
            self._guard(self._before_step, optimizer)
            return None

        def observed() -> Any:
            loss = closure()
            self._guard(self._before_step, optimizer)
            return loss

        if "closure" in kwargs:
            return args, {**kwargs, "closure": observed}
        return (args[0], observed, *args[2:]), kwargs

    def after_step(self, optimizer: Any) -> None:
        self._guard(self._after_step, optimizer)

    def finish(self) -> None:
        """The block is left: read all that still waits."""
        self._guard(self._finish)

    def detach(self) -> None:
        """Take the hooks off the layers."""
        self._layers.detach()

    def _forward_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        inputs = first_tensor(args)
        inputs = first_tensor(kwargs) if inputs is None else inputs
        doubtful = not module.training and self.measured.step > 0 and not self._trains_in_eval
        if not torch.is_grad_enabled() or doubtful:
            self._evaluations.forward(inputs, training=module.training)
            if not doubtful or not torch.is_grad_enabled():
                return
        self._mode = module.training
        self._forwards += 1
        if self._forwards > 1:
            return
        now = time.perf_counter()
        if not self._evaluations.running and self._step_ended and (self._measuring or self.measured.step % 8 == 0):
            self.measured.timing.wait.add(self.step, now - self._step_ended)
        self._forward_began = now
        self._input = inputs
        if inputs is None:
            return
        if self._measuring:
            self._guard.within(self._inputs.see, inputs, self.step)
        if not self._samples.closed and not doubtful:
            self._guard.within(self._samples.train, inputs, self.step)

    def _loss_computed(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        if not torch.is_grad_enabled() or not getattr(result, "requires_grad", False):
            self._evaluations.loss(name, args, kwargs, result)
            return
        self._loss_calls += 1
        targets = args[1] if len(args) > 1 else kwargs.get("target")
        outputs = first_tensor(args)
        if self._loss_calls > 1 or not isinstance(targets, torch.Tensor) or outputs is None:
            return
        kind = _KINDS.get(name, "numbers")
        if kind == "classes" and targets.dtype.is_floating_point:
            return
        samples = len(self._input) if self._input is not None and self._input.dim() else len(targets)
        dense = targets.dim() > 1 or (targets.dim() == 1 and len(targets) != samples)
        weighted = any(kwargs.get(key) is not None for key in ("weight", "pos_weight"))
        weighted = weighted or (len(args) > 2 and args[2] is not None)
        count = outputs.shape[1] if kind == "classes" and outputs.dim() > 1 else 2
        self._labels.see(kind, count, targets, self.step, dense=dense and kind == "classes", weighted=weighted)

    def _loss_refused(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        targets, outputs = args[1] if len(args) > 1 else kwargs.get("target"), first_tensor(args)
        if not isinstance(targets, torch.Tensor) or outputs is None or not targets.numel():
            return
        self.measured.refused = name
        self.measured.refused_low, self.measured.refused_high = float(outputs.min()), float(outputs.max())
        facts = self.measured.labels
        facts.kind = _KINDS.get(name, "numbers")
        facts.outputs = outputs.shape[1] if outputs.dim() > 1 else 1
        facts.low, facts.high = float(targets.min()), float(targets.max())
        if facts.kind == "classes" and (facts.high >= facts.outputs or facts.low < 0):
            facts.out_of_range = self.step

    def _backward_begins(self, tensors: Any) -> None:
        root = first_tensor(tensors)
        if root is None:
            return
        if not torch.is_grad_enabled() or self._evaluations.running:
            self._close_evaluations()
        self.measured.backwards += 1
        self.optimisers.backward_begins(measuring=self._measuring)
        if self._measuring:
            self.measured.training_modes.add(self.step, float(self._mode))
        loss = self._unscaled if self._unscaled is not None else root
        self._unscaled = None
        if self._loss.value(loss, self.step):
            self._guard.within(self._loss.nonfinite, root, self.step, self._input, readable=self._readable)
        if self._measuring and self._readable:
            calls = self._loss_calls > 0
            self._guard.within(self._loss.read, root, self.step, self._outputs, from_loss_calls=calls)
        if self.measured.step == 0 and self.measured.backwards in (_STEPLESS, 4 * _STEPLESS, 16 * _STEPLESS):
            self._layers.detach()
            self.stepped()

    def _close_evaluations(self) -> None:
        """A step is under way: what ran before it was an evaluation, but for the pass that this very backward is of."""
        if not self._mode and self._forwards:
            self._trains_in_eval = True
            self._evaluations.withdraw()
        self._evaluations.end(self.step)

    def _scaled(self, outputs: Any) -> None:
        if isinstance(outputs, torch.Tensor):
            self.measured.scaled = True
            self._unscaled = outputs.detach()

    def _before_step(self, optimizer: Any) -> None:
        self.optimisers.before(optimizer, self.step, measuring=self._measuring)

    def _after_step(self, optimizer: Any) -> None:
        if not self.optimisers.after(optimizer, self.step, measuring=self._measuring):
            return
        record = self.optimisers.record(optimizer)
        if record is None or (len(self.measured.optimisers) > 1 and not self._ends_step(record.steps)):
            return
        self._end_step()

    def _ends_step(self, steps: int) -> bool:
        """With several optimisers a step of the whole ends when one of them begins its next round; with optimisers
        made anew, whenever one steps."""
        return steps > self.measured.step or any(one.recreated for one in self.measured.optimisers)

    def _end_step(self) -> None:
        step = self.step
        now = time.perf_counter()
        if self._forward_began and (self._measuring or step % 8 == 0):
            self.measured.timing.work.add(step, now - self._forward_began)
        found = self._loss.end_step(step, read=self._measuring)
        if found:
            self._guard.within(self._loss.nonfinite, torch.zeros(()), step, self._input, readable=False)
        if self._measuring:
            self._guard.within(self._layers.end_step, step)
        self.measured.step = step
        self._forwards = self._loss_calls = 0
        self._input = None
        self._outputs.clear()
        self._readable = True
        measuring = self._schedule(step + 1)
        if measuring != self._measuring:
            (self._layers.attach if measuring else self._layers.detach)()
        self._measuring = measuring
        self.stepped()
        self._step_ended = time.perf_counter()

    def refresh(self) -> None:
        """Bring up to date what is read only before judging."""
        self._samples.flush()
        self.measured.samples_seen = self._samples.samples
        self._labels.flush()
        read_optimised(self.measured.net, self._roots, self._loss.reached, self.optimisers.groups)
        self.measured.net.unreached = self.optimisers.unreached(self._roots)

    def _finish(self) -> None:
        self._evaluations.end(self.step)
        self._loss.flush()
        self._loss.end_step(self.step, read=True)
        self._layers.end_step(self.step)
        self.refresh()
        self.measured.net.silent_scheduler = self.optimisers.has_silent_scheduler()
        self.measured.ended = True
