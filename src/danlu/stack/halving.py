"""Successive halving: at some epochs, the rungs, members make way for better ones, and the stacks grow smaller.

Jamieson and Talwalkar 2016, https://arxiv.org/abs/1502.07943: many are tried for a short time, few to the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from danlu.base.events import Stop
from danlu.stack.members import Trained
from danlu.stack.plan import StackPlan
from danlu.stack.running import RunningStack
from danlu.stack.side_by_side import side_by_side

Outcomes = list[tuple[list[int], Trained]]
Keep = Callable[[Sequence[int], dict[str, Tensor]], Sequence[int]]


@dataclass(frozen=True)
class Standing:
    """Where a stack stands between two rungs: what a checkpoint of it would hold."""

    tensors: dict[str, Any]
    state: dict[str, Any]

    @classmethod
    def of(cls, stack: RunningStack) -> "Standing":
        return cls(stack.tensors(), stack.state())


Elsewhere = Callable[[Sequence[tuple[list[int], Standing | None]], int], "list[Standing] | Stop"]
"""Trains stacks up to an epoch somewhere else: each by the places of its members, and where it stands (None: it has not
begun); where they stand then, in the same order."""


@dataclass(frozen=True)
class Halving:
    """After each of the epochs in `rungs`, ascending, `keep` says which members go on.

    It is given the places of those still in training and their validation scores by name, each [len(places)]. Stacks
    are trained `elsewhere`, None: here.
    """

    rungs: Sequence[int]
    keep: Keep
    elsewhere: Elsewhere | None = None


def in_rungs(plan: StackPlan, halving: Halving, stacks: Sequence[list[int]], workers: int) -> Outcomes | Stop:
    """Every stack's outcome, all stacks trained rung by rung together: the best of all of them go on."""
    return _Ladder(plan, halving).climb(stacks, workers)


@dataclass
class _Ladder:
    plan: StackPlan
    halving: Halving
    begun: list[RunningStack] = field(default_factory=list[RunningStack])
    lost: Outcomes = field(default_factory=Outcomes)  # of members that had ended in stacks that memory did not hold
    waiting: dict[tuple[int, ...], RunningStack] = field(default_factory=dict[tuple[int, ...], RunningStack])

    def climb(self, stacks: Sequence[list[int]], workers: int) -> Outcomes | Stop:
        epochs = self.plan.members[0].recipe.train.epochs or 1
        for until in (*(rung for rung in self.halving.rungs if rung < epochs), epochs):
            advanced = self._all_advanced(stacks, until, workers)
            if isinstance(advanced, Stop):
                return advanced
            if until < epochs:
                self._decide([stack for _, stack in advanced])
                stacks = [list(places) for places in self.waiting]
            if not stacks:
                break
        return [*self.lost, *(outcome for stack in self.begun for outcome in _ended(stack))]

    def _all_advanced(
        self, stacks: Sequence[list[int]], until: int, workers: int
    ) -> list[tuple[list[int], RunningStack]] | Stop:
        if self.halving.elsewhere is None:
            return side_by_side(lambda places: self._advanced(places, until), stacks, workers)
        asked: list[tuple[list[int], Standing | None]] = []
        for places in stacks:
            stack = self.waiting.pop(tuple(places), None)
            asked.append((places, None) if stack is None else (stack.places, Standing.of(stack)))
            self.begun = [one for one in self.begun if one is not stack]
        advanced = self.halving.elsewhere(asked, until)
        if isinstance(advanced, Stop):
            return advanced
        found: list[tuple[list[int], RunningStack]] = []
        for places, (whole, _), standing in zip(stacks, asked, advanced, strict=True):
            stack = self.plan.begun(whole)
            stack.load(standing.tensors, standing.state)
            self.begun.append(stack)
            found.append((places, stack))
        return found

    def _advanced(self, places: list[int], until: int) -> RunningStack | Stop:
        """The stack of the members at `places`, trained to `until`; half a stack that was too large starts anew."""
        stack = self.waiting.pop(tuple(places), None)
        if stack is None:
            stack = self.plan.begun(places)
            self.begun.append(stack)
        try:
            return stack.train(until) or stack
        except (RuntimeError, MemoryError):
            self.begun.remove(stack)  # so that its tensors make room
            self.lost += _ended(stack)
            raise

    def _decide(self, stacks: Sequence[RunningStack]) -> None:
        living = {
            stack.places[stack.progress.here[place]]: _scores(stack, place)
            for stack in stacks
            for place in stack.progress.training
        }
        if not living:
            return
        numbers = sorted(living)  # whichever stack came in first: equal scores must always be ranked alike
        rows = [living[number] for number in numbers]
        scores = {name: torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in rows[0]}
        kept = set(self.halving.keep(numbers, scores))
        for stack in stacks:
            progress = stack.progress
            stack.drop([place for place in progress.training if stack.places[progress.here[place]] not in kept])
            going_on = tuple(stack.places[progress.here[place]] for place in progress.training)
            if going_on:
                self.waiting[going_on] = stack


def _ended(stack: RunningStack) -> Outcomes:
    """What became of the members that have ended."""
    ended = stack.progress.ended
    return [([stack.places[member] for member in ended], stack.trained().of(ended))] if ended else []


def _scores(stack: RunningStack, place: int) -> dict[str, float]:
    progress = stack.progress
    member = progress.here[place]
    return {name: float(values[progress.epoch - 1, member]) for name, values in progress.validation.items()}
