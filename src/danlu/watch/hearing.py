"""How much of a net's calls is listened to: all of a measured step, of an ordinary one nothing."""

from danlu.watch.calls import INNER, OFF, OUTER, ModuleCalls
from danlu.watch.steps import StepPlan

_MOST_ALARMS = 4  # evaluations that did not come: from then on every call from outside is heard


class Hearing:
    """Listens as the plan of the steps says; in an ordinary step only while an evaluation may come, or while batches
    are collected."""

    def __init__(self, calls: ModuleCalls, steps: StepPlan) -> None:
        self._calls = calls
        self._steps = steps
        self.awake = False  # in an ordinary step, for an evaluation that may come
        self._doubtful = False  # there was but a weak sign of it
        self._alarms = self._doubts = 0

    def plan(self) -> None:
        """A step begins."""
        self.awake = False
        ordinary = self._ordinary if self._steps.quiet else OUTER
        self._calls.listen(INNER if self._steps.measuring else ordinary)

    def stepless(self) -> None:
        """No step ends the first one, which is measured: its layers have been heard often enough."""
        self._calls.listen(OUTER)

    def wake(self, *, doubtful: bool = False) -> None:
        """An evaluation may come in this ordinary step. What is `doubtful` is not believed any more where none came
        time and again."""
        if not self.awake and not self._steps.sampling and not (doubtful and self._doubts >= _MOST_ALARMS):
            self.awake, self._doubtful = True, doubtful
            self._calls.listen(OUTER)

    def sleep(self, *, evaluated: bool) -> None:
        """It has come, or not; where it does not time and again, every call from outside is heard from then on."""
        self.awake = False
        if self._doubtful:
            self._doubts = 0 if evaluated else self._doubts + 1
        else:
            self._alarms = 0 if evaluated else self._alarms + 1
        self._calls.listen(self._ordinary)

    def collected(self) -> None:
        """The last batch that is wanted is there."""
        self._steps.sampling = False
        self._calls.listen(self._ordinary)

    def end(self) -> None:
        """Hear of no call any more."""
        self._calls.listen(OFF)

    @property
    def silent(self) -> bool:
        """Whether no call of this ordinary step is listened to."""
        return not self.awake and self._ordinary == OFF

    @property
    def _ordinary(self) -> int:
        return OUTER if self._steps.sampling or self._alarms >= _MOST_ALARMS else OFF
