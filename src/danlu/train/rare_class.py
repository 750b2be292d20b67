"""Scores for data of which a class is rare, where nearly everything is right that never answers with it."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from danlu.train.predictions import class_logits

METRICS = ("balanced_accuracy", "average_precision")
"""Their names in a score."""


def average_precision(scores: Tensor, there: Tensor) -> float:
    """The area below precision over recall, of scores [N] for a class that is `there` in some samples, bool [N]: the
    precision at each score, weighed by what the recall gains there, as scikit-learn has it. NaN where it is in none.

    >>> average_precision(torch.tensor([0.9, 0.8, 0.1]), torch.tensor([True, False, True]))
    0.8333333333333333
    """
    if not there.any() or not scores.isfinite().all():
        return math.nan
    ordered, places = scores.sort(descending=True)
    right = there[places].double().cumsum(0)
    # Samples of one score stand or fall together: what counts is how it is behind the last of them.
    last = torch.cat([ordered[1:] != ordered[:-1], torch.ones_like(there[:1])])
    answered = torch.arange(1, len(scores) + 1, device=scores.device, dtype=torch.float64)[last]
    right = right[last]
    gained = right.diff(prepend=right.new_zeros(1))
    return float((gained * right / answered).sum() / right[-1])


def log_odds(outputs: Tensor, rare: int) -> Tensor:
    """How much outputs [N, C] or [N, 1] speak for class `rare`: log p / (1 - p), float64 [N], in which no two
    probabilities near 1 are one number."""
    logits = class_logits(outputs).double()
    others = torch.cat([logits[:, :rare], logits[:, rare + 1 :]], 1)
    return logits[:, rare] - others.logsumexp(1)


@dataclass
class RareScores:
    """What outputs said of the class `rare`, gathered batch by batch."""

    rare: int
    _kept: list[tuple[Tensor, Tensor]] = field(default_factory=list[tuple[Tensor, Tensor]])

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Take in outputs [N, C] or [N, 1] and classes [N]."""
        self._kept.append((log_odds(outputs, self.rare).cpu(), targets.flatten().cpu() == self.rare))

    def result(self) -> float:
        """The average precision."""
        scores, there = (torch.cat(parts) for parts in zip(*self._kept, strict=True))
        return average_precision(scores, there)
