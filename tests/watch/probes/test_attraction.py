"""Losses that do nothing but draw two answers of one net together."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.watch.probes.attraction import drawn_together, spread_of

NET, HEAD, OTHER = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(6, 8)
X, Y = torch.randn(2, 16, 6, generator=torch.Generator().manual_seed(0)).unbind()


def cosine(p: Tensor, z: Tensor) -> Tensor:
    return -F.cosine_similarity(p, z, dim=-1).mean()


LOSSES: dict[str, tuple[Callable[[], Tensor], int]] = {
    "cosines": (lambda: (cosine(HEAD(NET(X)), NET(Y)) + cosine(HEAD(NET(Y)), NET(X))) / 2, 2),
    "products": (lambda: 2 - 2 * (F.normalize(NET(X), dim=1) * F.normalize(NET(Y), dim=1)).sum(1).mean(), 1),
    "squared error": (lambda: F.mse_loss(HEAD(NET(X)), NET(Y)), 1),
    "by hand": (lambda: (NET(X) - NET(Y)).pow(2).sum(1).mean(), 1),
    "distance": (lambda: (NET(X) - NET(Y)).norm(dim=1).mean(), 1),
    "stopped": (lambda: cosine(HEAD(NET(X)), NET(Y).detach()), 0),
    "another net": (lambda: cosine(NET(X), OTHER(Y)), 0),
    "contrast": (lambda: F.cross_entropy(NET(X) @ NET(Y).T, torch.arange(16)), 0),
    # What is drawn together and what is kept apart look alike; only the spread tells.
    "margin": (lambda: F.relu((NET(X) - NET(Y)).pow(2).sum(1) - (NET(X) - NET(Y + 1)).pow(2).sum(1) + 1).mean(), 2),
    "labels too": (lambda: F.mse_loss(NET(X), NET(Y)) + F.cross_entropy(NET(X), torch.zeros(16).long()), 0),
    "spread too": (lambda: F.mse_loss(NET(X), NET(Y)) + F.relu(1 - NET(X).std(0)).mean(), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_what_only_draws_together(name: str) -> None:
    loss, count = LOSSES[name]
    assert len(drawn_together(loss().grad_fn)) == count


@pytest.mark.parametrize("name", ["cosines", "squared error", "by hand"])
def test_the_spread_of_directions(name: str) -> None:
    given = [NET(X)]
    far = spread_of(drawn_together(LOSSES[name][0]().grad_fn), given)
    assert far is not None
    assert far > 0.05
    one = torch.ones(16, 8).requires_grad_()
    near = spread_of(drawn_together(F.mse_loss(one * 1, one * 2).grad_fn), [])
    assert near == pytest.approx(0, abs=1e-6)
    assert spread_of([], given) is None
