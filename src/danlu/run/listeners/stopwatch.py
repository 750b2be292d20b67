"""The listener that finds out where the time of a training goes: some steps are timed, and the rest stands in line."""

import time
from collections.abc import Callable
from typing import Any

import torch

from danlu.base.events import Event, StepDone, Stop, TrainingStarted
from danlu.base.records import Score
from danlu.base.seeds import memory_used, wait_for
from danlu.run.listeners.checkpointer import Checkpointer
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.store.records import TimeSpent
from danlu.train.engine import Engine
from danlu.train.loop import Evaluate

CALLS = {
    "begin": "update", "forward": "forward", "loss": "forward", "backward": "backward", "clip": "update",
    "update": "update",
}  # fmt: skip
_FIRST = (1, 2, 3)  # behind these steps of a session one is timed: the very first, which gets ready, is none of them
EVERY = {"cpu": 16, "other": 64}  # steps; to time one on a GPU means to wait for it
_SECONDS = 1.0  # the shortest stretch that is told of
_LINES = 50  # after so many lines stretches are twice as long


class Stopwatch:
    """Times the calls of `engine` in some steps, and writes a `TimeSpent` a second, later every two, four …

    It must be the last that hears of a step, so that between two steps nothing but the next batch is waited for. An
    engine that is timed has calls of its own for that step alone: it costs nothing in the others, and no bit anywhere.
    """

    def __init__(
        self, engine: Engine, journal: JournalWriter, checkpointer: Checkpointer, device: torch.device
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._checkpointer = checkpointer
        self._device = device
        self._every = EVERY.get(device.type, EVERY["other"])
        self._timed = {name: self._with_time(getattr(engine, name), part) for name, part in CALLS.items()}
        self._times = False  # the step under way is timed
        self._waits = False  # for its batch
        self._inside = False
        self._steps = 0  # of this session
        self._step = 0
        self._lines = 0
        self._parts = dict.fromkeys(("data", *CALLS.values()), 0.0)  # of the steps that were timed, as is
        self._whole = 0.0
        self._validation = 0.0
        self._idle_since = self._since = time.perf_counter()
        self._processor, self._saving, self._saved = time.process_time(), checkpointer.saving, checkpointer.saving

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, StepDone):
            self._steps += 1
            self._step = event.step
            if self._times:
                self._whole += self._now() - self._idle_since - (self._checkpointer.saving - self._saved)
                self._time(False)
            if self._steps in _FIRST or self._steps % self._every == 0:
                self._time(True)
        if not isinstance(event, StepDone) or self._times:
            if self._whole and time.perf_counter() - self._since >= _SECONDS * 2 ** (self._lines // _LINES):
                self._tell()
            if isinstance(event, TrainingStarted):
                self._since, self._processor = time.perf_counter(), time.process_time()
            self._saved = self._checkpointer.saving
            self._idle_since = self._now()
        return None

    def scoring(self, score: Evaluate[Score]) -> Evaluate[Score]:
        """What `score` gives, timed."""

        def scored() -> Score | Stop | None:
            began = time.perf_counter()
            try:
                return score()
            finally:
                self._validation += time.perf_counter() - began

        return scored

    def end(self) -> None:
        """The training is over, and saved: what is left is told."""
        self._time(False)
        if self._steps:
            self._tell()

    def _time(self, on: bool) -> None:
        """Time the calls of the next step, or no longer those of this one."""
        own = vars(self._engine)
        for name, call in self._timed.items():
            if on:
                own[name] = call
            else:
                own.pop(name, None)
        self._times = self._waits = on

    def _with_time(self, call: Callable[..., Any], part: str) -> Callable[..., Any]:
        """The call of the engine that adds what it took to its part, but for calls within other ones."""

        def timed(*given: Any) -> Any:
            if self._inside:
                return call(*given)
            began = self._now()
            if self._waits:  # the first call of the step
                self._waits = False
                self._parts["data"] += began - self._idle_since
            self._inside = True
            try:
                return call(*given)
            finally:
                self._inside = False
                self._parts[part] += self._now() - began

        return timed

    def _now(self) -> float:
        wait_for(self._device)
        return time.perf_counter()

    def _tell(self) -> None:
        """Write of the stretch until now. Its steps took as those took that were timed, now or before."""
        now, processor, saving = time.perf_counter(), time.process_time(), self._checkpointer.saving
        seconds, saved = now - self._since, saving - self._saving
        of_steps = max(0.0, seconds - self._validation - saved) / self._whole if self._whole > 0 else 0.0
        memory, gpu = memory_used(self._device)
        self._journal.write(
            TimeSpent(
                step=self._step,
                seconds=round(seconds, 4),
                **{part: round(took * of_steps, 4) for part, took in self._parts.items()},
                validation=round(self._validation, 4),
                saving=round(saved, 4),
                processor=round(processor - self._processor, 4),
                memory=memory,
                gpu=gpu,
            )
        )
        self._since, self._processor, self._saving, self._validation = now, processor, saving, 0.0
        self._lines += 1
