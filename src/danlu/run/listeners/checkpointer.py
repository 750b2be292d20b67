"""The listener that saves: best weights as they appear, checkpoints by steps and by the clock."""

import time
from pathlib import Path
from typing import Any

import torch

from danlu.base.events import EpochDone, Event, StepDone, Stop
from danlu.base.recipe import TrainRecipe
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.store.records import CheckpointSaved
from danlu.train.checkpoint import Checkpoint, save
from danlu.train.engine import Engine
from danlu.train.progress import Progress
from danlu.train.tree import flatten_parts, restore_parts


class Checkpointer:
    """Holds what a checkpoint must hold, and writes one when it is time.

    The best weights are kept in memory and written with the next checkpoint: a kill before that loses nothing, because
    the resumed run finds them again on its way.
    """

    def __init__(
        self, folder: Path, engine: Engine, progress: Progress, journal: JournalWriter, recipe: TrainRecipe
    ) -> None:
        self._folder = folder
        self._engine = engine
        self._progress = progress
        self._journal = journal
        self._every_steps = recipe.checkpoint_steps or 0
        self._every_seconds = recipe.checkpoint_seconds
        self._keep = recipe.keep
        self._saved_at = time.monotonic()
        self._started_at = time.monotonic()
        self._seconds_before = 0.0
        self._saved_progress: dict[str, Any] = {}
        self.saving = 0.0  # seconds that this session's checkpoints took
        self.best: dict[str, torch.Tensor] = {}

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, StepDone):
            if self.is_due(event):
                self.save()
        elif isinstance(event, EpochDone) and event.best:
            weights = self._engine.scored_net.state_dict()
            self.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
        return None

    def is_due(self, event: StepDone) -> bool:
        """Whether it is time to save, by steps or by the clock."""
        by_steps = bool(self._every_steps) and event.step % self._every_steps == 0
        return by_steps or time.monotonic() - self._saved_at > self._every_seconds

    @property
    def is_up_to_date(self) -> bool:
        """Whether the last checkpoint is of this very moment."""
        return self._saved_progress == self._progress.state()

    @property
    def started_at(self) -> float:
        """When this session's training began, by `time.monotonic`."""
        return self._started_at

    @property
    def seconds(self) -> float:
        """Seconds of training, those before a resume included."""
        return self._seconds_before + time.monotonic() - self._started_at

    def save(self, tensors: dict[str, Any] | None = None) -> None:
        """Write a checkpoint of this very moment, unless the last one is of it; the journal is synced first.

        `tensors` are the engine's, where it was asked for them already.
        """
        if self.is_up_to_date:
            return
        began = time.perf_counter()
        self._journal.sync()
        self._store(self._engine.tensors() if tensors is None else tensors)
        self.saving += time.perf_counter() - began
        self._journal.write(CheckpointSaved(step=self._progress.step))

    def save_first(self) -> None:
        """Write a checkpoint of the state before the first step; the journal, which nobody reads yet, stays empty."""
        self._store(self._engine.tensors())

    def _store(self, tensors: dict[str, Any]) -> None:
        trees, parts = flatten_parts(tensors)
        if self.best:
            parts["best"] = self.best
        progress = self._progress.state()
        state = {"trees": trees, "step": self._engine.state(), "progress": progress, "seconds": self.seconds}
        save(self._folder, self._progress.step, parts, state, keep=self._keep)
        self._saved_at = time.monotonic()
        self._saved_progress = progress

    def load(self, checkpoint: Checkpoint) -> None:
        """Put step, progress and best weights where they stood at `checkpoint`."""
        state = checkpoint.state
        self._engine.load_tensors(restore_parts(state["trees"], checkpoint.parts))
        self._engine.load_state(state["step"])
        self._progress.load_state(state["progress"])
        self.best = checkpoint.parts.get("best", {})
        self._seconds_before = state["seconds"]
        self._saved_progress = self._progress.state()
