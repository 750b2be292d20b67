"""Optimisers and schedulers: what they own, whether gradients were cleared before them, how they were clipped."""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from danlu.watch.measured import Measured, Optimiser, Scheduler
from danlu.watch.probes.parameters import ParameterProbe, capped_share, hyperparameters

_ALWAYS_UNTIL = 64  # steps in which cleared gradients are looked at every time


class OptimiserProbe:
    """One record for each optimiser that moves parameters of the net, found when it steps or named by the user."""

    def __init__(self, measured: Measured, owners: Mapping[int, str]) -> None:
        self._measured = measured
        self._owners = owners
        self._records: weakref.WeakKeyDictionary[Any, Optimiser | None] = weakref.WeakKeyDictionary()
        self._owned: dict[int, frozenset[int]] = {}  # by id of a record
        self._probes: weakref.WeakKeyDictionary[Any, ParameterProbe] = weakref.WeakKeyDictionary()
        self._marks: weakref.WeakKeyDictionary[Any, list[torch.Tensor]] = weakref.WeakKeyDictionary()
        self._cleared: weakref.WeakKeyDictionary[Any, bool | None] = weakref.WeakKeyDictionary()
        self._schedulers: weakref.WeakKeyDictionary[Any, Scheduler] = weakref.WeakKeyDictionary()
        self._clip: tuple[float, Any] | None = None
        self._begun: Any = None
        self._unreached: dict[int, torch.Tensor] = {}  # held by an optimiser, and no gradient so far

    def record(self, optimizer: Any, *, given: bool = False) -> Optimiser | None:
        """The record of an optimiser; None where it moves nothing of the net."""
        if optimizer in self._records:
            return self._records[optimizer]
        parameters = _parameters(optimizer)
        ours = [one for one in parameters if id(one) in self._owners]
        if not ours and not given:
            self._records[optimizer] = None
            return None
        rate, momentum, decay, decoupled = hyperparameters(optimizer)
        record = Optimiser(type(optimizer).__name__, given=given, momentum=momentum, weight_decay=decay)
        record.decoupled = decoupled
        record.highest_rate = rate
        record.owned, record.foreign = len(ours), len(parameters) - len(ours)
        owned = frozenset(id(one) for one in ours)
        record.recreated = max(
            (other.recreated + 1 for other in self._measured.optimisers if self._owned[id(other)] == owned and owned),
            default=0,
        )
        self._owned[id(record)] = owned
        if not record.recreated:
            self._unreached.update((id(one), one) for one in ours if one.requires_grad)
        self._records[optimizer] = record
        self._probes[optimizer] = ParameterProbe(self._measured, self._owners)
        self._marks[optimizer] = [ours[n] for n in sorted({0, len(ours) // 2, len(ours) - 1})] if ours else []
        self._cleared[optimizer] = True
        self._measured.optimisers.append(record)
        return record

    @property
    def groups(self) -> list[list[torch.Tensor]]:
        """The parameters of every optimiser that is still there."""
        return [_parameters(optimizer) for optimizer, record in self._records.items() if record]

    def backward_begins(self, *, measuring: bool) -> None:
        """Look whether anybody cleared the gradients since the optimiser's last step."""
        for optimizer, record in self._records.items():
            if record is None or self._cleared[optimizer] or not record.steps:
                continue
            left = [one.grad for one in self._marks[optimizer] if one.grad is not None]
            if not left:
                self._cleared[optimizer] = True
            elif measuring or record.steps <= _ALWAYS_UNTIL:
                self._cleared[optimizer] = not any(bool(grad.any()) for grad in left)
            else:
                self._cleared[optimizer] = None

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        """The gradients were clipped; `norm` is that before, where clipping was by norm."""
        self._clip = float(limit), norm if kind == "norm" else None

    def before(self, optimizer: Any, step: int, *, measuring: bool) -> None:
        """An optimiser is about to step, or the closure that it was given has run."""
        record = self.record(optimizer)
        if record is None or self._begun is optimizer:
            return
        self._begun = optimizer  # a closure may run many times in one step: its first gradient counts
        if record.steps and self._cleared[optimizer] is not None:
            record.stale = 0 if self._cleared[optimizer] else record.stale + 1
            record.stale_since = record.stale_since if record.stale > 1 else step
        rate, record.momentum, record.weight_decay, record.decoupled = hyperparameters(optimizer)
        if measuring or rate != record.rate.last:
            record.rate.add(step, rate)
            record.highest_rate = max(rate, record.highest_rate)
        for one in [one for one in self._unreached.values() if one.grad is not None] if self._unreached else ():
            del self._unreached[id(one)]
        if not measuring:
            return
        self._probes[optimizer].before(_parameters(optimizer), step, record)
        if self._clip is not None:
            limit, norm = self._clip
            record.clipped_to = limit
            if norm is None:
                record.capped.add(step, capped_share(_parameters(optimizer), limit))
            else:
                record.clip.add(step, limit / max(float(norm), 1e-30))

    def after(self, optimizer: Any, step: int, *, measuring: bool) -> bool:
        """It has stepped; whether it is one of ours."""
        record = self._records.get(optimizer)
        if record is None:
            return False
        self._begun = None
        record.steps += 1
        self._cleared[optimizer] = False
        self._clip = None
        if measuring:
            self._probes[optimizer].after(step, record)
        return True

    def unreached(self, roots: Mapping[str, torch.nn.Module]) -> tuple[str, ...]:
        """Names of the parameters that an optimiser holds and that never had a gradient."""
        return tuple(
            ".".join(part for part in (prefix, path) if part)
            for prefix, root in roots.items()
            for path, parameter in root.named_parameters()
            if parameter.requires_grad and id(parameter) in self._unreached
        )

    def scheduler_stepped(self, scheduler: Any, args: Sequence[Any]) -> None:
        """A scheduler of one of the optimisers was called."""
        optimizer = getattr(scheduler, "optimizer", None)
        record = self._records.get(optimizer) if optimizer is not None else None
        if record is None or getattr(scheduler, "_step_count", 0) == 1:  # its constructor makes the first step
            return
        kept = self._schedulers.get(scheduler)
        if kept is None:
            total = getattr(scheduler, "total_steps", None) or getattr(scheduler, "T_max", None)
            kept = Scheduler(type(scheduler).__name__, total=total, mode=getattr(scheduler, "mode", ""))
            self._schedulers[scheduler] = kept
            self._measured.schedulers.append(kept)
        kept.steps_at_calls.add(record.steps, record.steps)
        kept.calls += 1
        kept.before_first_step += record.steps == 0
        if kept.kind == "ReduceLROnPlateau" and args:
            kept.metric.add(record.steps, float(args[0]))

    def has_silent_scheduler(self) -> bool:
        """Whether a scheduler was made for an optimiser and never called."""
        called = {id(scheduler.optimizer) for scheduler in self._schedulers}
        return any(
            record is not None and record.steps and id(optimizer) not in called and _has_scheduler(optimizer)
            for optimizer, record in self._records.items()
        )


def _parameters(optimizer: Any) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _has_scheduler(optimizer: Any) -> bool:
    return bool(getattr(vars(optimizer).get("step"), "_wrapped_by_lr_sched", False))
