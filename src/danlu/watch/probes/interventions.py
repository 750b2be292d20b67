"""A few times in a training: what does a copy of the net answer where later places, other samples, padding change?"""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from danlu.base.seeds import preserved_randomness
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.patches import LossCall
from danlu.watch.probes.felt import FeltAnswers
from danlu.watch.probes.floors import too_low
from danlu.watch.probes.trials import padded_beside, try_again, try_all, try_beside
from danlu.watch.probes.tried import TriedCall
from danlu.watch.tracing import all_tensors, unreadable
from danlu.watch.trying import ModuleCall, UntriedError

_AT = (2, 50, 200, 400, 800, 1600, 3200)  # steps from which on the next measured one is tried
_MOST_CALLS = 2
_MOST_LOSSES = 4
_FEW = 11  # pictures: hardly a net has a dimension of that size, which would be taken for that of the samples


class InterventionProbe:
    """Keeps the calls and losses of a step that is due, and tries a copy of the net when the step is over."""

    writes = ("interventions",)

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        self._roots = roots
        self._calls: list[tuple[ModuleCall, list[torch.Tensor]]] = []
        self._losses: list[LossCall] = []
        self._results: list[torch.Tensor] = []  # of these
        self._felt: list[FeltAnswers] = []  # by the calls
        self._prints: dict[int, float] = {}  # of the first step's batch, by the id of the module
        self._times = 0
        self._listening = False  # the newest call is one of those that are kept
        self.on = True

    def called(self, module: nn.Module, args: Any, kwargs: Any, step: int) -> None:
        """The loop calls a module in training, in a step that is measured."""
        known = any(call.module is module for call, _ in self._calls)
        self._listening = self._is_due(step) and len(self._calls) < _MOST_CALLS and not known
        if self._listening:
            self._calls.append((ModuleCall.of(module, args, kwargs), []))

    def answered(self, output: Any) -> None:
        """That call has answered."""
        if self._listening:
            given = all_tensors(output)
            self._calls[-1][1].extend(one.detach() for one in given)
            self._felt.append(FeltAnswers(given))
            self._listening = False

    def lost(self, call: LossCall, result: torch.Tensor) -> None:
        """A loss was computed that may go backwards."""
        if self._calls and len(self._losses) < _MOST_LOSSES:
            self._losses.append(call._replace(outputs=call.outputs.detach(), targets=call.targets.detach()))
            self._results.append(result.detach())

    def end_step(self, step: int) -> None:
        """The step is over."""
        calls, losses = self._calls, self._losses
        low = next((one for one in map(too_low, losses, self._results) if one is not None), None)
        if low is not None and self._measured.low_loss is None:
            self._measured.low_loss = replace(low, step=step, line=self._measured.lines.get("loss"))
        felt, self._felt = self._felt, []
        self._calls, self._losses, self._results = [], [], []
        if step == 1:
            self._prints = {id(call.module): _print(call) for call, _ in calls}
        elif calls:
            self._times += 1
            asked = [one.loss() for one in felt] if len(felt) == len(calls) else [None] * len(calls)
            for place, ((call, given), loss) in enumerate(zip(calls, asked, strict=True)):
                self._try(call, given, _with_own(losses, loss), step)
                self._note_zeros(call.module, felt[place].zeros_at_the_end() if loss is None and felt else math.nan)

    def _is_due(self, step: int) -> bool:
        """Whether the calls of that step are wanted; of the first one only to know its batch again."""
        return self.on and (step == 1 or (self._times < len(_AT) and step >= _AT[self._times]))

    def _try(self, call: ModuleCall, given: list[torch.Tensor], losses: list[LossCall], step: int) -> None:
        name = self._name_of(call.module)
        trial = self._measured.interventions.get(name)
        fresh = trial is None or bool(trial.refused)
        if trial is None or fresh:
            trial = self._measured.interventions[name] = Intervention(name, step)
        trial.step = step
        try:
            with preserved_randomness():
                tried = self._tried(call, given, losses, trial)
                if fresh:
                    try_all(tried, always_the_same=self._prints.get(id(call.module)) == _print(call))
                    for argument, beside in padded_beside(tried):
                        aside = Intervention(name, step, aside=True)
                        self._measured.interventions[f"{name} ({argument})"] = aside
                        try_beside(TriedCall(call, given, losses, self._measured, aside, beside))
                else:
                    try_again(tried)
        except UntriedError as error:
            if fresh:
                trial.refused = str(error)

    def _tried(
        self, call: ModuleCall, given: list[torch.Tensor], losses: list[LossCall], trial: Intervention
    ) -> TriedCall:
        few = with_few(call)
        if few is not call:
            with contextlib.suppress(UntriedError):  # a net may be written for batches of one size
                return TriedCall(few, given, losses, self._measured, trial)
        return TriedCall(call, given, losses, self._measured, trial)

    def _note_zeros(self, module: nn.Module, share: float) -> None:
        trial = self._measured.interventions[self._name_of(module)]
        if math.isnan(trial.pads_counted):
            trial.pads_counted = share

    def _name_of(self, module: nn.Module) -> str:
        for prefix, root in self._roots.items():
            for path, one in root.named_modules():
                if one is module:
                    return ".".join(part for part in (prefix, path) if part)
        return ""


def with_few(call: ModuleCall) -> ModuleCall:
    """The same call with a few of its pictures [N, C, H, W], evenly spaced, where it is given nothing else: how answers
    hang on samples shows in these, and all of them cost as much as many steps.

    >>> net = nn.Conv2d(3, 4, 3)
    >>> [len(with_few(ModuleCall.of(net, (torch.zeros(size, 3, 8, 8),), {})).args[0]) for size in (64, 22, 21, 4)]
    [11, 11, 21, 4]
    """
    whole = call.args[0] if len(call.args) == 1 and not call.kwargs else None
    if type(whole) is not torch.Tensor or whole.dim() != 4 or len(whole) < 2 * _FEW or unreadable(whole):
        return call
    return replace(call, args=(whole[:: len(whole) // _FEW][:_FEW],))


def _with_own(losses: list[LossCall], own: LossCall | None) -> list[LossCall]:
    """The losses of a step, first that which the gradient tells, where no call of torch's says which places counted."""
    known = any(one.kind == "classes" and not one.single and not one.weighted for one in losses)
    return losses if known or own is None else [own, *losses]


def _print(call: ModuleCall) -> float:
    return sum(float(one.detach().double().sum()) for one in call.tensors if not unreadable(one))
