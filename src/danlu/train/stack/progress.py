"""Where the members of a stack stand: losses, scores, the best weights, and who trains no longer."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from danlu.base.recipe import Recipe
from danlu.train.progress import rank
from danlu.train.stack.losses import first_bad
from danlu.train.stack.members import Trained
from danlu.train.stack.step import StackedStep


class StackProgress:
    """Counts for all members that began; `here` says which of them the stack holds, in its order.

    A member that has ended stays in the stack, where it harms nobody, until enough have ended for `keep` to pay.
    """

    def __init__(self, recipes: Sequence[Recipe], epochs: int, *, loss_is_sum: bool) -> None:
        count = len(recipes)
        self.epochs = epochs
        self.epoch = 0  # epochs done
        self.step = 0  # updates done
        self.here = list(range(count))
        self._over: set[int] = set()
        self.train_loss = torch.full((epochs, count), math.nan, dtype=torch.float64)
        self.validation: dict[str, Tensor] = {}
        self.done = torch.zeros(count, dtype=torch.int64)
        self.diverged = torch.zeros(count, dtype=torch.int64)
        self.dropped = torch.zeros(count, dtype=torch.int64)
        self._sums = loss_is_sum
        self._losses: list[Tensor] = []
        self._samples: list[Tensor | int] = []
        self._patience = [recipe.train.patience for recipe in recipes]
        self._wants_best = [recipe.train.scores_best for recipe in recipes]
        self._ranks: list[tuple[float, ...]] = [()] * count
        self._best_epoch = [0] * count
        self._best_weights: dict[int, dict[str, Tensor]] = {}
        self._states: dict[int, dict[str, Tensor]] = {}

    @property
    def needs_epochs(self) -> bool:
        """Whether somebody's best epoch matters."""
        return any(self._wants_best) or any(self._patience)

    def count(self, losses: Tensor, samples: Tensor | int) -> None:
        """One update is done: `losses` [K] are the batch's, which had so many samples, one number or [K]."""
        self.step += 1
        self._losses.append(losses)
        self._samples.append(samples)

    def end_epoch(self, step: StackedStep, validation: dict[str, Tensor] | None) -> list[int]:
        """Close the epoch; the places in the stack of the members that go on."""
        losses = torch.stack(self._losses).double().cpu()
        samples = torch.stack([torch.as_tensor(count).cpu().expand(len(self.here)) for count in self._samples]).double()
        means = (losses if self._sums else losses * samples).sum(0) / samples.sum(0)
        before = self.step - len(self._losses)
        self._losses, self._samples = [], []
        training = self.training
        members = [self.here[place] for place in training]
        self.train_loss[self.epoch, members] = means[training]
        if validation:
            self._note(members, {name: values[training] for name, values in validation.items()})
        self.epoch += 1
        self.done[members] = self.epoch
        bad = first_bad(losses)
        for place, member in zip(training, members, strict=True):
            if bad[place]:
                self.diverged[member] = before + bad[place]
            elif validation:
                self._judge(step, place, member, {name: float(values[place]) for name, values in validation.items()})
            patience = self._patience[member]
            early = patience is not None and self.epoch - self._best_epoch[member] >= patience
            if bad[place] or early or self.epoch == self.epochs:
                self._end(step, place, member)
        return self.training

    @property
    def training(self) -> list[int]:
        """The places in the stack of the members that have not ended."""
        return [place for place, member in enumerate(self.here) if member not in self._over]

    @property
    def ended(self) -> list[int]:
        """The members that have."""
        return sorted(self._over)

    def drop(self, step: StackedStep, places: Sequence[int]) -> None:
        """End the members at `places` before their time, with the weights and the score that they have now."""
        for place in places:
            self.dropped[self.here[place]] = self.epoch
            self._end(step, place, self.here[place])

    def keep(self, places: Sequence[int]) -> None:
        """The stack goes on with the members at `places` alone."""
        self.here = [self.here[place] for place in places]

    def _note(self, members: Sequence[int], validation: dict[str, Tensor]) -> None:
        for name, values in validation.items():
            empty = torch.full_like(self.train_loss, math.nan)
            self.validation.setdefault(name, empty)[self.epoch, members] = values

    def _judge(self, step: StackedStep, place: int, member: int, score: dict[str, float]) -> None:
        order = rank(score)
        if order and (not self._ranks[member] or order > self._ranks[member]):
            self._ranks[member], self._best_epoch[member] = order, self.epoch
            if self._wants_best[member] and self.epoch < self.epochs:
                self._best_weights[member] = _weights(step, place)

    def _end(self, step: StackedStep, place: int, member: int) -> None:
        best_is_earlier = self._wants_best[member] and self._best_epoch[member] not in (0, self.epoch)
        self._states[member] = self._best_weights.pop(member) if best_is_earlier else _weights(step, place)
        self._over.add(member)

    def trained(self, seconds: float) -> Trained:
        """What came out, for all members that began; weights of those that have ended."""
        chosen = [
            best if wants and best else int(done)
            for wants, best, done in zip(self._wants_best, self._best_epoch, self.done, strict=True)
        ]
        score = {
            name: torch.stack([values[max(0, epoch - 1), member] for member, epoch in enumerate(chosen)])
            for name, values in self.validation.items()
        }
        return Trained(
            states=[self._states.get(member, {}) for member in range(len(chosen))],
            train_loss=self.train_loss,
            validation=self.validation,
            score=score,
            epochs=self.done,
            chosen=torch.tensor(chosen),
            diverged=self.diverged,
            dropped=self.dropped,
            seconds=seconds,
        )


def _weights(step: StackedStep, place: int) -> dict[str, Tensor]:
    with step.scored():
        return step.member(place)
