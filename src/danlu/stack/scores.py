"""Loss and metrics of K members over a part of the data, equal to what `evaluate` gives of each alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from danlu.base.recipe import LossRecipe
from danlu.stack.losses import StackedLoss
from danlu.stack.step import Batch, StackedStep
from danlu.train.rare_class import log_odds, rare_precision


@dataclass(frozen=True)
class StackScorer:
    """What is measured: by task, as `Metrics` does; `scale` is the unit of standardised regression targets, [T], and
    `bounds` between which numbers what is predicted counts, [2, T]; `naive` is the error that a mean absolute scaled
    error is scaled by."""

    task: str
    outputs: int
    loss: str
    delta: float = 1.0
    scale: Tensor | None = None
    bounds: Tensor | None = None
    gamma: float | None = None
    rare: int | None = None
    naive: float | None = None

    def score(self, step: StackedStep, batches: Iterable[Batch]) -> dict[str, Tensor]:
        """The numbers by name, each float64 [K] on the CPU."""
        classifies = self.task == "classification"
        sums = _Classes(self.outputs, self.rare) if classifies else _Numbers(self.scale, self.bounds, self.naive)
        total = torch.zeros(step.members, dtype=torch.float64)
        count = torch.zeros(step.members, dtype=torch.float64)
        recipe = LossRecipe(delta=self.delta, gamma=self.gamma)
        with step.scored():
            for batch in batches:
                outputs = step.predict(batch.inputs)
                loss = StackedLoss(self.loss, [recipe], outputs.device, outputs.dtype)
                samples = torch.as_tensor(batch.samples).cpu().double()
                total += loss(outputs, batch.targets, counts=batch.counts)[0].double().cpu() * samples
                count += samples
                sums.add(outputs, batch.targets, _own(batch))
        return {"loss": total / count.clamp(min=1), **sums.result()}


def _own(batch: Batch) -> Tensor:
    """Which samples count: float64 [K, N], 1 or 0."""
    members, samples = batch.targets.shape[:2]
    if batch.counts is None:
        return torch.ones(members, samples, dtype=torch.float64, device=batch.targets.device)
    return (torch.arange(samples, device=batch.counts.device) < batch.counts[:, None]).double()


@dataclass
class _Classes:
    classes: int
    rare: int | None = None
    kept: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list[tuple[Tensor, Tensor, Tensor]])
    counts: Tensor = field(default_factory=lambda: torch.zeros(()))  # [K, true, predicted]

    def add(self, outputs: Tensor, targets: Tensor, own: Tensor) -> None:
        # The same as argmax(1), which takes six times as long where the axis is not the last.
        predicted = outputs.flatten(1) > 0 if outputs.shape[1] == 1 else outputs.max(1).indices
        members, size = len(outputs), max(2, self.classes)
        start = torch.arange(members, device=targets.device)[:, None] * size
        places = (start + targets) * size + predicted
        counts = torch.bincount(places.flatten(), own.flatten(), minlength=members * size * size)
        self.counts = self.counts + counts.view(members, size, size).cpu()
        if self.rare is not None:
            samples = outputs.mT.flatten(0, 1)
            odds = log_odds(samples, self.rare).view(members, -1).cpu()
            self.kept.append((odds, (targets == self.rare).cpu(), own.bool().cpu()))

    def result(self) -> dict[str, Tensor]:
        right = self.counts.diagonal(dim1=1, dim2=2)
        either = self.counts.sum(1) + self.counts.sum(2)  # twice the right ones, and the false of both kinds
        f1 = torch.where(either > 0, 2 * right / either.clamp(min=1), 0.0)
        seen = (either > 0).sum(1).clamp(min=1)  # classes that are neither present nor predicted do not count
        score = {"accuracy": right.sum(1) / self.counts.sum((1, 2)).clamp(min=1), "f1": f1.sum(1) / seen}
        return score if self.rare is None else score | self._of_rare(right)

    def _of_rare(self, right: Tensor) -> dict[str, Tensor]:
        there = self.counts.sum(2)
        recalls = torch.where(there > 0, right / there.clamp(min=1), 0.0)
        odds, rare, own = (torch.cat(parts, 1) for parts in zip(*self.kept, strict=True))
        found = [rare_precision(odds[k][own[k]], rare[k][own[k]]) for k in range(len(odds))]
        balanced = recalls.sum(1) / (there > 0).sum(1).clamp(min=1)
        return {"balanced_accuracy": balanced, "average_precision": torch.tensor(found, dtype=torch.float64)}


@dataclass
class _Numbers:
    scale: Tensor | None
    bounds: Tensor | None
    naive: float | None = None
    count: Tensor = field(default_factory=lambda: torch.zeros(()))  # [K]
    targets: Tensor = field(default_factory=lambda: torch.zeros(()))  # sums over samples, each [K, T]
    target_squares: Tensor = field(default_factory=lambda: torch.zeros(()))
    squares: Tensor = field(default_factory=lambda: torch.zeros(()))
    sizes: Tensor = field(default_factory=lambda: torch.zeros(()))

    def add(self, outputs: Tensor, targets: Tensor, own: Tensor) -> None:
        found, wanted, own = outputs.double().cpu(), targets.mT.double().cpu(), own.cpu()
        if self.bounds is not None:
            low, high = self.bounds.double().cpu()[:, :, None]
            found = found.clamp(low, high)
        if self.scale is not None:
            scale = self.scale.double().cpu()[:, None]
            found, wanted = found * scale, wanted * scale
        error = found - wanted
        self.count = self.count + own.sum(1)
        own = own[:, None]
        self.targets = self.targets + (wanted * own).sum(2)
        self.target_squares = self.target_squares + (wanted.square() * own).sum(2)
        self.squares = self.squares + (error.square() * own).sum(2)
        self.sizes = self.sizes + (error.abs() * own).sum(2)

    def result(self) -> dict[str, Tensor]:
        count = self.count
        numbers = {"mae": self.sizes.mean(1) / count, "rmse": (self.squares / count[:, None]).sqrt().mean(1)}
        if self.naive is not None:
            numbers["mase"] = numbers["mae"] / self.naive
        if int(count.min()) < 2:
            return numbers
        spread = self.target_squares - self.targets.square() / count[:, None]
        explained = 1 - self.squares / spread
        # As torchmetrics has it: targets that do not vary are explained in full or not at all.
        flat, exact = spread.abs() <= 1e-4, self.squares.abs() <= 1e-4
        explained = torch.where(exact, 1.0, torch.where(flat, 0.0, explained))
        return {"r2": explained.mean(1), **numbers}
