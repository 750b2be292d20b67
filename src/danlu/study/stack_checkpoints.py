"""The listener that saves a stack as it goes on, by the clock and by steps, and puts a new one where it stood."""

import time
from collections.abc import Callable
from pathlib import Path

from danlu.base.errors import Fault
from danlu.base.events import StackEvent, StepDone
from danlu.base.recipe import TrainRecipe
from danlu.stack import RunningStack
from danlu.train.checkpoint import load_newest, save
from danlu.train.tree import flatten_parts, restore_parts


class StackCheckpointer:
    """Saves `stack` in `folder`; `before` is done first each time, so that no record is lost of what need not be done
    again. Told to stop, it saves that very step, so it must hear of a step after whoever asks `asked_to_stop`.
    """

    def __init__(
        self,
        stack: RunningStack,
        folder: Path,
        recipe: TrainRecipe,
        before: Callable[[], None],
        asked_to_stop: Callable[[], bool],
    ) -> None:
        self._stack = stack
        self._folder = folder
        self._every_steps = recipe.checkpoint_steps or 0
        self._every_seconds = recipe.checkpoint_seconds
        self._keep = recipe.keep
        self._before = before
        self._asked_to_stop = asked_to_stop
        self._saved_at = time.monotonic()

    def __call__(self, event: StackEvent) -> None:
        if not isinstance(event, StepDone):
            return
        due = self._every_steps and event.step % self._every_steps == 0
        if due or time.monotonic() - self._saved_at > self._every_seconds or self._asked_to_stop():
            self.save()

    def save(self) -> None:
        """Write a checkpoint of this very moment."""
        self._before()
        trees, parts = flatten_parts(self._stack.tensors())
        state = {"trees": trees, "stack": self._stack.state()}
        save(self._folder, self._stack.progress.step, parts, state, keep=self._keep)
        self._saved_at = time.monotonic()

    def go_on(self, note: Callable[[Fault], None]) -> None:
        """Put the stack, which has not begun, where the newest whole checkpoint stood, if there is one of such nets;
        `note` hears of those that are damaged."""
        newest = load_newest(self._folder)
        for fault in newest.skipped:
            note(fault)
        if newest.checkpoint is None:
            return
        tensors = restore_parts(newest.checkpoint.state["trees"], newest.checkpoint.parts)
        own = {name: (tensor.shape[1:], tensor.dtype) for name, tensor in self._stack.step.net.tensors().items()}
        saved = {name: (tensor.shape[1:], tensor.dtype) for name, tensor in tensors["weights"].items()}
        if own == saved:
            self._stack.load(tensors, newest.checkpoint.state["stack"])
