"""Learning-rate schedulers: how often each was called, and when."""

import weakref
from collections.abc import Sequence
from typing import Any

from torch.optim.lr_scheduler import ReduceLROnPlateau

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Scheduler
from danlu.watch.probes.optimisers import OptimiserProbe


class SchedulerProbe:
    """One record for each scheduler of an optimiser of ours; found when its step() is called."""

    writes = ("schedulers",)

    def __init__(self, measured: Measured, optimisers: OptimiserProbe) -> None:
        self._measured = measured
        self._optimisers = optimisers
        self._records: weakref.WeakKeyDictionary[Any, Scheduler] = weakref.WeakKeyDictionary()

    def stepped(self, scheduler: Any, args: Sequence[Any]) -> None:
        """A scheduler was called."""
        optimizer = getattr(scheduler, "optimizer", None)
        record = self._optimisers.record(optimizer) if optimizer is not None else None
        if record is None or getattr(scheduler, "_step_count", 0) == 1:  # its constructor makes the first step
            return
        record.scheduled = True
        kept = self._records.get(scheduler)
        if kept is None:
            totals = (getattr(scheduler, name, None) for name in ("total_steps", "T_max", "total_iters"))
            total = next((one for one in totals if isinstance(one, int) and one), None)
            groups: list[dict[str, Any]] = getattr(optimizer, "param_groups", [])
            rates = getattr(scheduler, "base_lrs", None) or [one.get("initial_lr") for one in groups]
            base = max((one for one in rates if isinstance(one, float)), default=0.0)
            kept = Scheduler(type(scheduler).__name__, total=total, mode=getattr(scheduler, "mode", ""), base=base)
            self._records[scheduler] = kept
            self._measured.schedulers.append(kept)
        kept.calls += 1
        kept.before_first_step += record.steps == 0
        if isinstance(scheduler, ReduceLROnPlateau) and args:
            kept.metric.add(record.steps, float(args[0]))
