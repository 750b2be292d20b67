"""One member trained by itself, as `fit` trains it: here, or in another process that was sent all it needs."""

import contextlib
import math
import os
import signal
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from danlu.base.errors import DanluError
from danlu.base.recipe import Recipe
from danlu.base.records import Score
from danlu.base.seeds import use_threads
from danlu.base.words import use_language
from danlu.data import Dataset
from danlu.lab.fit import fit, resume
from danlu.lab.interrupt import Interrupt, Interrupted
from danlu.store.run_folder import RunFolder

_GLANCE = 0.2  # seconds between two looks at whether to stop


@dataclass(frozen=True)
class Task:
    """A training to be carried out in `folder`, or to go on there; `net` where the recipe cannot bring it back.

    `stop` is a file that tells processes to end when it appears; `threads` are those of torch's operations, None as
    they are.
    """

    recipe: Recipe
    data: Dataset
    net: nn.Module | None
    folder: Path
    language: str
    stop: Path
    threads: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it: a score, or the reason why there is none; or it was told to stop, and can go on."""

    score: Score
    steps: int = 0
    epochs: int = 0
    failure: str = ""
    stopped: bool = False

    @property
    def diverged(self) -> int:
        """The steps done where the score is not finite, else 0."""
        return 0 if all(math.isfinite(value) for value in self.score.values()) else self.steps


def train_alone(task: Task) -> Outcome:
    """Train one member in this process. Whatever its net raises is its own end and nobody else's."""
    try:
        if RunFolder(task.folder).recipe.is_file():
            run = resume(task.folder, net=task.net, data=task.data, progress=False)
        else:
            run = fit(task.net, task.data, recipe=task.recipe, folder=task.folder, progress=False)
    except Interrupted as stopped:
        if not stopped.saved:
            raise
        return Outcome({}, stopped=True)
    except DanluError as error:
        return Outcome({}, failure="; ".join(str(fault) for fault in error.faults))
    except Exception as error:  # noqa: BLE001  (a net of the user's can raise anything)
        return Outcome({}, failure=f"{type(error).__name__}: {error}")
    return Outcome(run.score.get("validation", {}), run.steps, run.epochs)


def train_elsewhere(task: Task) -> Outcome:
    """Train one member in a process that was started for it; it ends when told so, or when who started it is gone."""
    if task.stop.exists():
        return Outcome({}, stopped=True)
    use_language(task.language)
    before = use_threads(task.threads) if task.threads else None
    try:
        with Interrupt(str(task.folder)), _ending_with(task.stop):
            return train_alone(task)
    finally:
        if before:
            use_threads(before)


@contextlib.contextmanager
def _ending_with(stop: Path) -> Generator[None]:
    """Ask the training inside to end, as SIGTERM does, once `stop` is there or the parent process is not."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a thread of Dask's: there signals are somebody else's
        return
    parent, over = os.getppid(), threading.Event()

    def watch() -> None:
        while not over.wait(_GLANCE):
            if stop.exists() or os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
