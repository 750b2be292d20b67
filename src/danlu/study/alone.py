"""One member trained by itself, as `fit` trains it: here, or in another process that was sent all it needs."""

import contextlib
import functools
import math
import os
import signal
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import DanluError, UserError
from danlu.base.events import Listener
from danlu.base.memory import OutOfMemoryError
from danlu.base.recipe import Recipe
from danlu.base.records import Score
from danlu.base.seeds import use_threads
from danlu.base.words import use_language
from danlu.data import Dataset
from danlu.run.fit import fit, resume
from danlu.run.interrupt import Interrupt, Interrupted
from danlu.run.pictures import without_overviews
from danlu.run.run import Run
from danlu.store.records import EpochEnded
from danlu.store.run_folder import RunFolder
from danlu.store.run_history import RunHistory
from danlu.study.member_curves import course_of

_GLANCE = 0.2  # seconds between two looks at whether to stop
_PATIENCE = 60.0  # seconds
_HELD = ("store.in-use", "store.holds-a-run", "store.not-empty")


@dataclass(frozen=True)
class Task:
    """A training to be carried out in `folder`, or to go on there; `net` where the recipe cannot bring it back.

    `stop` is a file that tells processes to end when it appears; so does the end of the process `parent`, where they
    are its children. `threads` are those of torch's operations, None: as they are.
    """

    recipe: Recipe
    data: Dataset
    net: nn.Module | None
    folder: Path
    language: str
    stop: Path
    threads: int | None = None
    parent: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether whoever sent it wants it no more, or is gone."""
        return self.stop.exists() or (self.parent is not None and os.getppid() != self.parent)


@dataclass(frozen=True)
class AloneOutcome:
    """What came of it: a score, or the reason why there is none; or it was told to stop, and can go on."""

    score: Score
    steps: int = 0
    epochs: int = 0
    scored_epoch: int = 0
    failure: str = ""
    stopped: bool = False
    course: Sequence[EpochEnded] = ()

    @property
    def diverged(self) -> int:
        """The steps done where the score is not finite, else 0."""
        return 0 if all(math.isfinite(value) for value in self.score.values()) else self.steps


def train_alone(task: Task, listeners: Sequence[Listener] = ()) -> AloneOutcome:
    """Train one member in this process. Whatever its net raises is its own end and nobody else's."""
    try:
        run = _trained(task, listeners)
    except Interrupted as stopped:
        if not stopped.saved:
            raise
        return AloneOutcome({}, stopped=True)
    except OutOfMemoryError as error:
        return AloneOutcome({}, failure=str(error.about(None)))
    except DanluError as error:
        return AloneOutcome({}, failure="; ".join(str(fault) for fault in error.faults))
    except Exception as error:  # noqa: BLE001  (a net of the user's can raise anything)
        return AloneOutcome({}, failure=f"{type(error).__name__}: {error}")
    course = course_of(RunHistory.read(RunFolder(run.folder).journal).epochs)
    return AloneOutcome(run.score.get("validation", {}), run.steps, run.epochs, run.scored_epoch, course=course)


def _trained(task: Task, listeners: Sequence[Listener]) -> Run:
    end = time.monotonic() + _PATIENCE
    own: dict[str, Any] = {"data": task.data, "listeners": listeners, "progress": False}
    while True:
        try:
            with without_overviews():
                if RunFolder(task.folder).recipe.is_file():
                    return resume(task.folder, net=task.net, **own)
                return fit(task.net, recipe=task.recipe, folder=task.folder, **own)
        except UserError as error:
            # Processes of a study that was killed save and end within moments; until then they hold the run.
            if error.faults[0].id not in _HELD or time.monotonic() > end:
                raise
            time.sleep(_GLANCE)


def train_elsewhere(task: Task) -> AloneOutcome:
    """Train one member in a process that was started for it; it ends when told so, or when who started it is gone."""
    if task.is_over:
        return AloneOutcome({}, stopped=True)
    use_language(task.language)
    before = use_threads(task.threads) if task.threads else None
    try:
        with BUSY, Interrupt(str(task.folder)), _ending_with(task):
            return train_alone(task)
    finally:
        if before:
            use_threads(before)


BUSY = threading.Lock()
"""Held by whoever draws from the generators of this process, which all its threads share."""


@functools.cache
def end_after(parent: int) -> None:
    """End this process, once it is idle, after its parent's end: whoever killed that meant all of it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_GLANCE)
        with BUSY:
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _ending_with(task: Task) -> Generator[None]:
    """Ask the training inside to end, as SIGTERM does, once the task is over."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a thread of Dask's: there signals are somebody else's
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_GLANCE):
            if task.is_over:  # told again and again: at first there may be no loop yet that minds it
                signal.raise_signal(signal.SIGTERM)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
