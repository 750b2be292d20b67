"""Along what a run's curves are drawn: its steps, its epochs, or the seconds it trained."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from danlu.store.records import EpochEnded
from danlu.store.run_history import RunHistory

STEP, EPOCH, TIME = "step", "epoch", "time"
AXES = (STEP, EPOCH, TIME)
UNITS = (("hours", 3600.0, 7200.0), ("minutes", 60.0, 180.0), ("seconds", 1.0, 0.0))
"""Of time: what it is called, its seconds, and how long a training must be to be told in it."""


@dataclass(frozen=True)
class Track:
    """Where the steps of a run lie along an axis: at `places` for `steps`, in a straight line between them and, behind
    the last one, at the pace of the stretch before it."""

    steps: Sequence[float] = ()
    places: Sequence[float] = ()

    def at(self, steps: Sequence[float]) -> list[float]:
        """The places of `steps`, ascending; they themselves on the axis of steps."""
        if not self.steps:
            return list(steps)
        asked = numpy.asarray(steps, dtype=float)
        pace = (self.places[-1] - self.places[-2]) / (self.steps[-1] - self.steps[-2])
        beyond = numpy.maximum(asked - self.steps[-1], 0.0) * pace
        return (numpy.interp(asked, self.steps, self.places) + beyond).tolist()


def axes_of(histories: Sequence[RunHistory]) -> list[str]:
    """The axes that all of these runs can be drawn along: a run without an epoch has no pace yet."""
    epochs = all(_ends(history) for history in histories)
    timed = epochs and all(any(_seconds(epoch) for epoch in history.epochs) for history in histories)
    return [STEP, *([EPOCH] if epochs else []), *([TIME] if timed else [])]


def unit_of(histories: Sequence[RunHistory]) -> tuple[str, float]:
    """The unit of time that suits the longest of the runs, and its seconds."""
    longest = max((sum(map(_seconds, history.epochs)) for history in histories), default=0.0)
    return next((name, seconds) for name, seconds, least in UNITS if longest >= least)


def track(history: RunHistory, axis: str, unit: float = 1.0) -> Track:
    """Where the steps of a run lie along one of AXES that `axes_of` has for it; of time in units of so many seconds.

    >>> told = [{"kind": "epoch", "epoch": n, "step": 10 * n, "train": {}, "seconds": 2.0} for n in (1, 2)]
    >>> track(RunHistory.of(told), "epoch").at([5, 10, 25]), track(RunHistory.of(told), "time").at([15])
    ([0.5, 1.0, 2.5], [3.0])
    """
    if axis not in (EPOCH, TIME):
        return Track()
    ends = _ends(history)
    lengths = [_seconds(one) / unit if axis == TIME else 1.0 for one in ends]
    first = ends[0].epoch - 1.0 if axis == EPOCH else 0.0
    begun = min(history.steps[0] - 1 if history.steps else 0, ends[0].step - 1)
    return Track([begun, *(one.step for one in ends)], list(itertools.accumulate(lengths, initial=first)))


def _seconds(epoch: EpochEnded) -> float:
    """How long an epoch took; a damaged record tells nothing of it."""
    return epoch.seconds if math.isfinite(epoch.seconds) and epoch.seconds > 0 else 0.0


def _ends(history: RunHistory) -> list[EpochEnded]:
    """The epochs that took at least a step, in their order."""
    found: list[EpochEnded] = []
    for epoch in sorted(history.epochs, key=lambda one: one.step):
        if epoch.step > (found[-1].step if found else 0):
            found.append(epoch)
    return found
