"""Where the members of a stack stand: losses, scores, and who trains no longer."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from danlu.base.events import MemberScores
from danlu.base.recipe import Recipe
from danlu.stack.losses import first_bad
from danlu.train.progress import rank


class StackProgress:
    """Counts for all members that began; `here` says which of them the stack holds, in its order.

    A member that has ended stays in the stack, where it harms nobody, until enough have ended for `keep` to pay. One
    ends with the epoch in which its loss was not finite, when its patience is over, or after the last epoch.
    """

    def __init__(self, recipes: Sequence[Recipe], epochs: int, steps_per_epoch: int, *, loss_is_sum: bool) -> None:
        count = len(recipes)
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.epoch = 0  # epochs done
        self.step = 0  # updates done
        self.batch = 0  # updates done in the running epoch
        self.here = list(range(count))
        self.leaving: list[int] = []  # the places of those that ended with the newest epoch
        self._over: set[int] = set()
        self.train_loss = torch.full((epochs, count), math.nan, dtype=torch.float64)
        self.validation: dict[str, Tensor] = {}
        self.done = torch.zeros(count, dtype=torch.int64)
        self.diverged = torch.zeros(count, dtype=torch.int64)
        self.dropped = torch.zeros(count, dtype=torch.int64)
        self.best_epoch = [0] * count
        self.wants_best = [recipe.train.scores_best for recipe in recipes]
        self._sums = loss_is_sum
        self._losses: list[Tensor] = []
        self._samples: list[Tensor | int] = []
        self._patience = [recipe.train.patience for recipe in recipes]
        self._ranks: list[tuple[float, ...]] = [()] * count

    @property
    def needs_epochs(self) -> bool:
        """Whether somebody's best epoch matters."""
        return any(self.wants_best) or any(self._patience)

    @property
    def training(self) -> list[int]:
        """The places in the stack of the members that have not ended."""
        return [place for place, member in enumerate(self.here) if member not in self._over]

    @property
    def ended(self) -> list[int]:
        """The members that have."""
        return sorted(self._over)

    @property
    def ended_early(self) -> bool:
        """Whether all members have ended."""
        return len(self._over) == len(self.done)

    def count(self, loss: Tensor, terms: Tensor | int) -> None:
        """One update is done: `loss` [K] are the batch's, means over so many samples, one number or [K]."""
        self.step += 1
        self.batch += 1
        self._losses.append(loss)
        self._samples.append(terms)

    def end_epoch(self, validation: MemberScores | None) -> tuple[MemberScores, list[bool]]:
        """Close the epoch: the mean training loss of every member here, and whether its score is its best so far."""
        losses = torch.stack(self._losses).double().cpu()
        samples = torch.stack([torch.as_tensor(count).cpu().expand(len(self.here)) for count in self._samples]).double()
        means = (losses if self._sums else losses * samples).sum(0) / samples.sum(0)
        before = self.step - len(self._losses)
        self._losses, self._samples, self.batch = [], [], 0
        training = self.training
        members = [self.here[place] for place in training]
        self.train_loss[self.epoch, members] = means[training]
        if validation:
            self._note(members, {name: values[training] for name, values in validation.items()})
        self.epoch += 1
        self.done[members] = self.epoch
        bad = first_bad(losses)
        best = [False] * len(self.here)
        for place, member in zip(training, members, strict=True):
            if bad[place]:
                self.diverged[member] = before + bad[place]
            elif validation:
                score = {name: float(values[place]) for name, values in validation.items()}
                best[place] = self._is_best(member, score)
            patience = self._patience[member]
            early = patience is not None and self.epoch - self.best_epoch[member] >= patience
            if bad[place] or early or self.epoch == self.epochs:
                self._over.add(member)
        self.leaving = [place for place in training if self.here[place] in self._over]
        return {"loss": self.train_loss[self.epoch - 1, self.here]}, best

    def drop(self, places: Sequence[int]) -> None:
        """End the members at `places` before their time."""
        for place in places:
            self.dropped[self.here[place]] = self.epoch
            self._over.add(self.here[place])
        self.leaving = list(places)

    def keep(self, places: Sequence[int]) -> None:
        """The stack goes on with the members at `places` alone."""
        self.here = [self.here[place] for place in places]

    def _note(self, members: Sequence[int], validation: MemberScores) -> None:
        for name, values in validation.items():
            empty = torch.full_like(self.train_loss, math.nan)
            self.validation.setdefault(name, empty)[self.epoch, members] = values

    def _is_best(self, member: int, score: dict[str, float]) -> bool:
        order = rank(score)
        if not order or (self._ranks[member] and order <= self._ranks[member]):
            return False
        self._ranks[member], self.best_epoch[member] = order, self.epoch
        return True

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds: the course of all members, and the losses of the running epoch."""
        losses = torch.stack(self._losses) if self._losses else torch.empty(0)
        counts = [torch.as_tensor(count).cpu().expand(len(self.here)) for count in self._samples]
        samples = torch.stack(counts) if counts else torch.empty(0)
        course = {"train_loss": self.train_loss, "validation": self.validation, "losses": losses, "samples": samples}
        return {**course, "done": self.done, "diverged": self.diverged, "dropped": self.dropped}

    def state(self) -> dict[str, Any]:
        """The numbers that a checkpoint holds besides."""
        course = {name: getattr(self, name) for name in _KEPT}
        return {**course, "over": self.ended, "ranks": [list(order) for order in self._ranks]}

    def load(self, tensors: dict[str, Any], state: dict[str, Any]) -> None:
        """Take back what `tensors` and `state` gave."""
        for name in ("train_loss", "validation", "done", "diverged", "dropped"):
            setattr(self, name, tensors[name])
        self._losses, self._samples = list(tensors["losses"]), list(tensors["samples"])
        for name in _KEPT:
            setattr(self, name, state[name])
        self._over = set(state["over"])
        self._ranks = [tuple(order) for order in state["ranks"]]


_KEPT = ("epoch", "step", "batch", "here", "best_epoch")
