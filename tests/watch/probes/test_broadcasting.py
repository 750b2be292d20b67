"""A column beside a row on the way from the net to the loss."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.watch.probes.broadcasting import grown

Tensor = torch.Tensor
COLUMN, FLAT = nn.Linear(3, 1), nn.Linear(3, 2)
X, ADVANTAGE = torch.randn(6, 3), torch.randn(6)

LOSSES: dict[str, tuple[Callable[[], Tensor], bool]] = {
    "a ratio times advantages": (lambda: torch.mean(COLUMN(X).exp() * ADVANTAGE), True),
    "clamped": (lambda: torch.max(-ADVANTAGE * COLUMN(X).exp(), -ADVANTAGE * COLUMN(X).clamp(0, 1)).mean(), True),
    "a column less a row of the same net": (lambda: (COLUMN(X) - FLAT(X)[:, 0]).abs().sum(), True),
    "squeezed": (lambda: torch.mean(COLUMN(X).squeeze(1) * ADVANTAGE), False),
    "both columns": (lambda: torch.mean(COLUMN(X) * ADVANTAGE[:, None]), False),
    "all pairs, meant so": (lambda: (FLAT(X)[:, 0].unsqueeze(1) - FLAT(X)[:, 1]).relu().mean(), False),
    "all pairs by an index": (lambda: (FLAT(X)[:, 0][:, None] * ADVANTAGE).relu().mean(), False),
    "similarities": (lambda: (FLAT(X) @ FLAT(X).t()).logsumexp(1).mean(), False),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_what_became_as_many_as_all_pairs(kind: str) -> None:
    make, found = LOSSES[kind]
    assert grown(make().grad_fn, 6) == (((6, 1), (6, 6)) if found else None)


def test_other_numbers_than_the_samples_are_none_of_its_business() -> None:
    assert grown((COLUMN(X).exp() * ADVANTAGE).mean().grad_fn, 5) is None
