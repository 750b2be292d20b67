"""What each step of a training is for watch: one that is measured, one that is looked at, or an ordinary one."""

from danlu.watch.pace import Pace
from danlu.watch.schedule import Schedule, always

_LOOKED_AT = 32  # of the steps that are not measured, every so many gives its times and its learning rate
_QUIET_AFTER = 64


class StepPlan:
    """Decides what the coming step will be. An ordinary one is counted, its loss is taken, and nothing else."""

    def __init__(self, schedule: Schedule, pace: Pace) -> None:
        self._schedule = schedule
        self._pace = pace
        self.measuring = schedule(1)
        self.quiet = False
        self.next = 1  # the next step that is not an ordinary one

    def plan(self, step: int, *, wanted: bool) -> None:
        """Plan `step`; where something is `wanted` of it, it is no ordinary one."""
        self.measuring = self._schedule(step) and (always(step) or self._pace.allows(step))
        if self.measuring:
            self._pace.measured(step)
        looked_at = step % _LOOKED_AT == 0 or step <= _QUIET_AFTER
        self.quiet = not (self.measuring or looked_at or wanted)
        self.next = step + 1
        if self.quiet:
            while not (self._schedule(self.next) or self.next % _LOOKED_AT == 0):
                self.next += 1
