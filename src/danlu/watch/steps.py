"""What each step of a training is for watch: one that is measured, one that is looked at, or an ordinary one."""

from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.pace import Pace
from danlu.watch.schedule import Schedule, always

# Of the steps that are not measured, every so many gives its times and its learning rate.
_LOOKED_AT, _LOOKED_AT_BRIEF = 32, 128
_QUIET_AFTER = 16


class StepPlan:
    """Decides what the coming step will be. An ordinary one is counted, its loss is taken, and nothing else; while
    training samples are still collected, so is its batch."""

    def __init__(self, schedule: Schedule, pace: Pace) -> None:
        self._schedule = schedule
        self._pace = pace
        self.measuring = schedule(1)
        self.quiet = self.sampling = False
        self.next = 1  # the next step that is not an ordinary one

    def plan(self, step: int, *, wanted: bool, samples: bool) -> None:
        """Plan `step`; where something is `wanted` of it, it is no ordinary one. `samples` are collected still."""
        self.measuring = self._is_due(step)
        if self.measuring:
            self._pace.measured(step)
        every = _LOOKED_AT_BRIEF if self._pace.is_brief else _LOOKED_AT
        looked_at = step % every == 0 or step <= _QUIET_AFTER
        self.quiet = not (self.measuring or looked_at or wanted)
        self.sampling = self.quiet and samples
        self.next = step + 1
        if self.quiet:
            looked_at = step - step % every + every
            self.next = next(filter(self._is_due, range(step + 1, looked_at)), looked_at)

    def _is_due(self, step: int) -> bool:
        return self._schedule(step) and (always(step) or self._pace.allows(step))


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
