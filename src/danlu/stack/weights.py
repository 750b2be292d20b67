"""The listener that keeps the weights of a stack's members: those they end with, and their best ones before that."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from danlu.base.events import EpochDone, StackEvent
from danlu.stack.progress import StackProgress
from danlu.stack.step import StackedStep

State = dict[str, Tensor]


class MemberWeights:
    """`ended` has the weights of every member that has ended, by its number: the last ones, or the best where its
    recipe asks for these."""

    def __init__(self, step: StackedStep, progress: StackProgress) -> None:
        self.ended: dict[int, State] = {}
        self._best: dict[int, State] = {}
        self._step = step
        self._progress = progress

    def __call__(self, event: StackEvent) -> None:
        if not isinstance(event, EpochDone):
            return
        progress = self._progress
        best = [place for place, is_best in enumerate(event.best) if is_best and self._wants_best(place)]
        going_on = [place for place in best if place not in progress.leaving]
        self._best |= self._weights(going_on)
        self.end(progress.leaving)

    def end(self, places: Sequence[int]) -> None:
        """The members at `places` have ended."""
        progress = self._progress
        earlier = {place for place in places if self._wants_best(place) and self._was_better_before(place)}
        for place in earlier:
            self.ended[progress.here[place]] = self._best[progress.here[place]]
        self.ended |= self._weights([place for place in places if place not in earlier])
        for place in places:
            self._best.pop(progress.here[place], None)

    def _wants_best(self, place: int) -> bool:
        return self._progress.wants_best[self._progress.here[place]]

    def _was_better_before(self, place: int) -> bool:
        return self._progress.best_epoch[self._progress.here[place]] not in (0, self._progress.epoch)

    def _weights(self, places: Sequence[int]) -> dict[int, State]:
        if not places:
            return {}
        with self._step.scored():
            return {self._progress.here[place]: self._step.member(place) for place in places}

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"ended": self.ended, "best": self._best}

    def load(self, tensors: dict[str, Any]) -> None:
        """Take back what `tensors` gave."""
        self.ended, self._best = tensors["ended"], tensors["best"]
