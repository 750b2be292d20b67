"""What of one call goes into another: a state handed on from step to step, two views that are one."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.held import HeldStates, HeldTensor
from danlu.watch.probes.inputs import batch_of
from danlu.watch.tracing import all_tensors, unreadable
from danlu.watch.trying import ModuleCall

_FOLLOWED = 3  # steps one after the other that are measured, whatever the training
_FEWEST_ROWS = 4
_LEAST_NUMBERS = 8  # of an embedding
_MOST_ROWS = 4_096
_LEAST_PARTNERS = 16
_ROUNDING = 1e-4  # of the largest likeness
_CONTINUES = 0.5  # share of the rows that begin with what the one before was to tell


@dataclass
class _Call:
    module: nn.Module
    inputs: torch.Tensor
    others: list[torch.Tensor]
    held: list[HeldTensor]  # before the call
    outputs: list[torch.Tensor] = field(default_factory=list[torch.Tensor])


@dataclass(frozen=True)
class _Met:
    """A state that the step before has left."""

    attached: bool  # with its graph
    continues: bool  # to samples that go on where those of the step before ended


class CarriedProbe:
    """Compares the calls of a measured step with each other, and with those of the step before."""

    writes = ("carried",)

    def __init__(self, measured: Measured, recurrent: list[nn.RNNBase | nn.RNNCellBase]) -> None:
        self._measured = measured
        self._held = HeldStates()
        self._batch_first = any(getattr(one, "batch_first", False) for one in recurrent)
        self._calls: list[_Call] = []
        self._states: list[torch.Tensor] = []  # that the step before has given
        self._ended: torch.Tensor | None = None  # the last places of its targets
        self._told = False  # its targets are its inputs, one place on
        self._targets: torch.Tensor | None = None  # of this step
        self._square = True  # every loss so far compares the samples with each other
        self._own = False  # a loss looks for each sample among all of them, itself included
        self._counted = False  # a softmax of cosines, in this step
        self._last = 0  # the newest measured step
        self._call: ModuleCall | None = None  # to which states were left in attributes,
        self._found: list[tuple[HeldTensor, _Met]] = []  # and these

    def called(self, module: nn.Module, args: Any, kwargs: Any, step: int) -> None:
        """The loop calls a module, before the first backward pass of a measured step."""
        inputs = batch_of(args, kwargs)
        if inputs is None or len(self._calls) > 1:
            return
        given = all_tensors((args, kwargs))
        held = self._held.of(module, len(inputs)) if step <= _FOLLOWED and not self._calls else []
        if not self._calls and self._states and step == self._last + 1:
            met = self._look_at_state(given, inputs)
            if met is not None:
                self._count(met)
            else:
                self._found = [(one, known) for one in held if (known := self._look_at_state([one.tensor], inputs))]
                self._call = ModuleCall.of(module, args, kwargs) if self._found else None
        others = [one for one in given if one is not inputs and one.shape == inputs.shape]
        self._calls.append(_Call(module, inputs.detach(), others, held))

    def answered(self, output: Any) -> None:
        """That call has answered."""
        if self._calls and not self._calls[-1].outputs:
            self._calls[-1].outputs = all_tensors(output)

    def lost(self, call: LossCall) -> None:
        """A loss was computed that may go backwards."""
        self._square = self._square and _compares_samples(call)
        self._own = self._own or _finds_itself(call)
        if not self._counted and _finds_partners(call):
            self._counted, carried = True, self._measured.carried
            carried.partners += 1
            carried.cosines += _are_cosines(call.outputs.detach())
            carried.floor = math.log1p((len(call.outputs) - 1) * math.exp(-2))
        if self._targets is None and call.targets.dim() and not unreadable(call.targets):
            self._targets = call.targets.detach()

    def end_step(self, step: int) -> None:
        """The step is over."""
        calls, targets = self._calls, self._targets
        if self._call is not None and calls:
            rows = len(calls[0].inputs)
            used = next((one for one in self._found if self._held.is_used(self._call, one[0], rows)), None)
            if used is not None:
                self._count(used[1])
                self._measured.carried.held = used[0].place
        self._call, self._found = None, []
        self._measured.carried.own += self._own
        if calls and self._square and not (self._measured.net.dropout or self._measured.net.plain_dropout):
            self._measured.carried.alike += _are_one(calls)
        self._states, self._ended = [], None
        if calls and step < _FOLLOWED:
            first = calls[0]
            given = [one for one in first.outputs[1:] if one.dtype.is_floating_point and one.dim() in (2, 3)]
            held = self._held.written(first.module, len(first.inputs), first.held)
            self._states = [one.detach() for one in [*given, *held]]
            self._keep_ends(first.inputs, targets)
        self._calls, self._targets, self._square, self._own, self._last = [], None, True, False, step
        self._counted = False

    def _keep_ends(self, inputs: torch.Tensor, targets: torch.Tensor | None) -> None:
        """Note the last targets of each row, and whether they are the inputs one place on."""
        self._told = False
        if targets is None or not targets.numel():
            return
        if self._is_second(inputs, self._states):
            rows = inputs.shape[1]
            targets = targets.reshape(-1, rows).t() if targets.numel() % rows == 0 else None
            inputs = inputs.transpose(0, 1)
        else:
            rows = len(inputs)
            targets = targets.reshape(rows, -1) if targets.numel() % rows == 0 else None
        if targets is not None:
            self._ended = targets[:, -1]
            self._told = targets.shape == inputs.shape and torch.equal(targets[:, :-1], inputs[:, 1:])

    def _is_second(self, inputs: torch.Tensor, states: list[torch.Tensor]) -> bool:
        """Whether the samples lie along the second dimension, as those of the states do."""
        rows = {one.shape[-2] for one in states}
        if self._batch_first or inputs.dim() < 2 or not rows or any(len(one) == len(inputs) for one in states):
            return False
        return rows == {inputs.shape[1]}

    def _look_at_state(self, given: list[torch.Tensor], inputs: torch.Tensor) -> _Met | None:
        for one in given:
            if not any(_equal(state, one) for state in self._states) or unreadable(one) or not bool(one.detach().any()):
                continue
            if self._is_second(inputs, self._states):
                inputs = inputs.transpose(0, 1)
            first = inputs[:, 0] if inputs.dim() > 1 else inputs
            if self._ended is None or first.shape != self._ended.shape:
                first = first.reshape(len(first), -1)[:, 0]
            goes_on = self._ended is not None and first.shape == self._ended.shape
            continues = goes_on and float((first == self._ended).float().mean()) >= _CONTINUES
            return _Met(one.grad_fn is not None, continues)
        return None

    def _count(self, met: _Met | None) -> None:
        if met is not None:
            carried = self._measured.carried
            carried.times += 1
            carried.attached += met.attached
            carried.apart += not met.continues
            carried.told += self._told


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype or unreadable(one) or unreadable(other):
        return False
    return one.data_ptr() == other.data_ptr() or torch.equal(one.detach(), other.detach())


def _are_one(calls: list[_Call]) -> bool:
    """Whether two views went in that are the same, and what came out is the same too."""
    first = calls[0]
    if not first.inputs.dtype.is_floating_point or len(first.inputs) < _FEWEST_ROWS or not first.outputs:
        return False
    if len(calls) > 1:
        second = calls[1]
        both = second.module is first.module and bool(second.outputs) and _equal(first.inputs, second.inputs)
        return both and _embeds(first.outputs[0]) and _equal(first.outputs[0], second.outputs[0])
    if first.others and len(first.outputs) > 1:
        return (
            any(_equal(first.inputs, one) for one in first.others)
            and _embeds(first.outputs[0])
            and _equal(first.outputs[0], first.outputs[1])
        )
    half, rest = divmod(len(first.inputs), 2)
    if rest or half < _FEWEST_ROWS or len(first.outputs[0]) != 2 * half or not _embeds(first.outputs[0]):
        return False
    inputs, outputs = first.inputs, first.outputs[0].detach()
    twice = torch.equal(inputs[:half], inputs[half:]) or torch.equal(inputs[::2], inputs[1::2])
    alike = torch.allclose(outputs[:half], outputs[half:]) or torch.allclose(outputs[::2], outputs[1::2])
    return twice and alike and not torch.equal(inputs[0], inputs[half - 1])


def _compares_samples(call: LossCall) -> bool:
    """Whether a loss is of likenesses [N, N], or [N, N - 1] where each sample's partner comes before all others."""
    if call.outputs.dim() != 2:
        return False
    samples, others = call.outputs.shape
    if others == samples - 1 and call.kind == "classes" and not unreadable(call.targets):
        return not bool(call.targets.any())
    return samples == others


def _finds_itself(call: LossCall) -> bool:
    """Whether a loss is told that of all samples each is to be most like itself, which it is: likenesses [N, N] that
    are the same either way, and on whose diagonal the largest stand."""
    likeness, targets = call.outputs.detach(), call.targets
    if call.kind != "classes" or likeness.dim() != 2 or likeness.shape[0] != likeness.shape[1] or targets.dim() != 1:
        return False
    if len(likeness) < _FEWEST_ROWS or len(likeness) > _MOST_ROWS or unreadable(likeness) or unreadable(targets):
        return False
    if not torch.equal(targets, torch.arange(len(targets), device=targets.device, dtype=targets.dtype)):
        return False
    size = float(likeness.abs().max())
    same = float((likeness - likeness.t()).abs().max()) <= _ROUNDING * size
    return same and bool((likeness.diagonal() >= likeness.amax(1) - _ROUNDING * size).all())


def _finds_partners(call: LossCall) -> bool:
    """Whether a loss looks for one partner of each sample among many by likenesses [N, N]."""
    likeness, targets = call.outputs.detach(), call.targets
    if call.kind != "classes" or likeness.dim() != 2 or likeness.shape[0] != likeness.shape[1] or targets.dim() != 1:
        return False
    if not _LEAST_PARTNERS <= len(likeness) <= _MOST_ROWS or unreadable(likeness) or unreadable(targets):
        return False
    return not targets.dtype.is_floating_point and len(targets.unique()) == len(targets)


def _are_cosines(likeness: torch.Tensor) -> bool:
    """Whether all lie within -1 and 1, as cosines do that no temperature divides; what is far below is masked."""
    kept = likeness[likeness > -100]
    return bool(kept.numel()) and float(kept.abs().max()) <= 1 + _ROUNDING


def _embeds(outputs: torch.Tensor) -> bool:
    return outputs.dim() >= 2 and outputs[0].numel() >= _LEAST_NUMBERS
