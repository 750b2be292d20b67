"""What each step of a training is for watch: one that is measured, one that is looked at, or an ordinary one."""

from danlu.watch.measured import Optimiser
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
            looked_at = step - step % _LOOKED_AT + _LOOKED_AT
            self.next = next(filter(self._schedule, range(step + 1, looked_at)), looked_at)


class Lead:
    """Says which optimiser's step ends a step of the whole: of several that of the one that leads, when it has made its
    next; the lead goes to one that steps twice while the others rest. With optimisers made anew, whenever one steps."""

    def __init__(self) -> None:
        self._ahead: dict[int, int] = {}  # steps of the whole before an optimiser's first, by id of its record
        self._stepped: set[int] = set()  # those that stepped in this step, but for the one that leads

    def ends(self, record: Optimiser, step: int) -> bool:
        """Whether this optimiser's step, just made, ends the one after `step` steps of the whole."""
        leads = record.steps + self._ahead.get(id(record), 0) > step
        if leads or record.recreated or id(record) in self._stepped:
            self._ahead[id(record)] = step + 1 - record.steps
            self._stepped.clear()
            return True
        self._stepped.add(id(record))
        return False
