"""Scores for data of which a class is rare, where nearly everything is right that never answers with it."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from danlu.train.predictions import class_logits
from danlu.train.ranking import average_precision

METRICS = ("balanced_accuracy", "average_precision")
"""Their names in a score."""


def rare_precision(scores: Tensor, there: Tensor) -> float:
    """The average precision of scores [N] for a class; NaN where none of the samples is of it, or scores are not
    finite, so that nothing can be told."""
    return average_precision(scores, there) if there.any() and scores.isfinite().all() else math.nan


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
        return rare_precision(scores, there)
