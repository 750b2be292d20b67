"""Overlaps of logits in the graph of a loss."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.watch.probes.overlaps import overlaps_of_logits

Tensor = torch.Tensor
NET = nn.Conv2d(1, 1, 3, padding=1)
X = torch.randn(4, 1, 6, 6)
MASK = (torch.randn(4, 6, 6) > 0).float()


def dice(guessed: Tensor, smooth: float = 1.0) -> Tensor:
    both = (guessed * MASK).sum((1, 2))
    return 1 - ((2 * both + smooth) / (guessed.sum((1, 2)) + MASK.sum((1, 2)) + smooth)).mean()


def iou(guessed: Tensor) -> Tensor:
    both = (guessed.flatten(1) * MASK.flatten(1)).sum(1)
    return (1 - both / (guessed.flatten(1).sum(1) + MASK.flatten(1).sum(1) - both)).mean()


LOSSES: dict[str, tuple[Callable[[Tensor], Tensor], bool]] = {
    "dice of logits": (dice, True),
    "beside another loss": (
        lambda logits: nn.functional.binary_cross_entropy_with_logits(logits, MASK) + 0.5 * dice(logits),
        True,
    ),
    "intersection over union": (iou, True),
    "dice of probabilities": (lambda logits: dice(logits.sigmoid()), False),
    "of clamped numbers": (lambda logits: dice(logits.clamp(0, 1)), False),
    "a relative error": (lambda logits: (logits - MASK).abs().sum() / MASK.sum(), False),
    "numbers over their own sum": (lambda logits: (logits / logits.sum()).square().mean(), False),
    "a mean by hand": (lambda logits: (logits * MASK).sum() / MASK.sum(), False),
    "a cosine": (lambda logits: (logits * MASK).sum() / (logits.norm() * MASK.norm()), False),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_the_overlap_is_of_what_a_layer_gave(kind: str) -> None:
    make, found = LOSSES[kind]
    assert overlaps_of_logits(make(NET(X).squeeze(1)).grad_fn) is found
