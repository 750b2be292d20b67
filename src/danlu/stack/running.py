"""One stack on its way: it can be trained up to an epoch, looked at, trained on, and put back to where it stood."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from danlu.base.events import EpochDone, MemberScores, StackEvent, StackListener, StepDone, Stop
from danlu.base.seeds import exact_kernels
from danlu.stack.feed import StackFeed
from danlu.stack.members import Trained
from danlu.stack.progress import StackProgress
from danlu.stack.scores import StackScorer
from danlu.stack.step import StackedStep
from danlu.stack.weights import MemberWeights
from danlu.train.loop import train

# With fewer of its members in training a stack is compacted. Not at the first that ends: products of another size round
# otherwise, so the last digit of the others would change.
_WORTH_KEEPING = 0.75


class RunningStack:
    """The members at `places` of all that are trained, with their steps, batches and scores.

    They are validated after each epoch, or only after the last one that they are trained for: `validate` is that of
    `train_members`. `listeners` hear of each step and epoch.
    """

    def __init__(
        self,
        places: Sequence[int],
        step: StackedStep,
        feed: StackFeed,
        judge: StackScorer,
        validate: str,
        device: torch.device,
        asked_to_stop: Callable[[], bool],
    ) -> None:
        recipes = step.recipes
        self.places = list(places)
        self.step, self.feed = step, feed
        sums = recipes[0].loss.reduction == "sum"
        self.progress = StackProgress(recipes, recipes[0].train.epochs or 1, feed.steps_per_epoch, loss_is_sum=sums)
        self.weights = MemberWeights(step, self.progress)
        self.listeners: Sequence[StackListener] = ()
        self.recipe = recipes[0]
        self.seconds = 0.0
        self._judge, self._device, self._asked_to_stop = judge, device, asked_to_stop
        needed = self.progress.needs_epochs or step.schedule.sees
        self._every_epoch = validate == "epochs" or (validate == "auto" and needed)

    @torch.no_grad()
    def train(self, until: int | None) -> Stop | None:
        """Train to epoch `until`, None: to the end; Stop when told to break off."""
        begin = time.perf_counter()
        progress, last = self.progress, until or self.progress.epochs

        def validation() -> MemberScores | None:
            held = self.feed.validation() if self._every_epoch or progress.epoch + 1 == last else None
            return None if held is None else self._judge.score(self.step, held)

        def interrupt(event: StackEvent) -> Stop | None:
            return Stop("interrupted") if isinstance(event, StepDone) and self._asked_to_stop() else None

        def end_of_epoch(event: StackEvent) -> Stop | None:
            if not isinstance(event, EpochDone):
                return None
            self.compact()
            return Stop("reached") if event.epoch == last else None

        with exact_kernels(self._device):
            listeners = [interrupt, self.weights, *self.listeners, end_of_epoch]
            stop = train(self.step, self.feed.batches, validation, progress, listeners)
        self.seconds += time.perf_counter() - begin
        return stop if stop and stop.reason == "interrupted" else None

    def drop(self, places: Sequence[int]) -> None:
        """End the members at `places` before their time, with the weights and the score that they have now."""
        self.progress.drop(places)
        self.weights.end(places)
        self.compact()

    def compact(self) -> None:
        """Leave those members behind that have ended, where they are many enough to pay for it."""
        going_on = self.progress.training
        if going_on and len(going_on) <= _WORTH_KEEPING * self.step.members:
            self._keep(going_on)

    def _keep(self, places: Sequence[int]) -> None:
        self.feed.select(self.step.compact(places), self.step.layout)
        self.progress.keep(places)

    def trained(self) -> Trained:
        """What came out so far, for all members that began; weights of those that have ended."""
        progress = self.progress
        chosen = [
            best if wants and best else int(done)
            for wants, best, done in zip(progress.wants_best, progress.best_epoch, progress.done, strict=True)
        ]
        score = {
            name: torch.stack([values[max(0, epoch - 1), member] for member, epoch in enumerate(chosen)])
            for name, values in progress.validation.items()
        }
        return Trained(
            states=[self.weights.ended.get(member, {}) for member in range(len(chosen))],
            train_loss=progress.train_loss,
            validation=progress.validation,
            score=score,
            epochs=progress.done,
            chosen=torch.tensor(chosen),
            diverged=progress.diverged,
            dropped=progress.dropped,
            seconds=self.seconds,
        )

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds, as trees of tensors by the name of the part."""
        return {**self.step.tensors(), "members": self.weights.tensors(), "progress": self.progress.tensors()}

    def state(self) -> dict[str, Any]:
        """The numbers that a checkpoint holds besides."""
        return {"step": self.step.state(), "progress": self.progress.state(), "seconds": self.seconds}

    def load(self, tensors: dict[str, Any], state: dict[str, Any]) -> None:
        """Put a stack that has not begun where the one stood that gave `tensors` and `state`."""
        here = state["progress"]["here"]
        if len(here) < self.step.members:
            self._keep(here)
        self.step.load_tensors(tensors)
        self.step.load_state(state["step"])
        self.progress.load(tensors["progress"], state["progress"])
        self.weights.load(tensors["members"])
        self.seconds = state["seconds"]
