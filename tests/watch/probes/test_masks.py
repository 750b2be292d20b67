"""DrawnMasks that torch draws."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from danlu.watch.probes.masks import DrawnMasks

X = torch.ones(4, 8)
DRAWS: dict[str, tuple[Callable[[], object], bool]] = {
    "a branch passed by": (lambda: X * X.new_empty(4, 1).bernoulli_(0.8) / 0.8, True),
    "as it was written before": (lambda: X * (0.8 + torch.rand(4, 1)).floor(), True),
    "in place": (lambda: X * torch.rand(4, 1).add_(0.8).floor_(), True),
    "a call of dropout": (lambda: F.dropout(X, 0.2), True),
    "attention that drops": (lambda: F.scaled_dot_product_attention(X, X, X, dropout_p=0.2), True),
    "dropout at rest": (lambda: F.dropout(X, 0.2, training=False), False),
    "noise": (lambda: X + torch.randn_like(X), False),
    "times of a diffusion": (lambda: X * torch.rand(4, 1), False),
    "patches left out, as one trains on them": (lambda: torch.rand(4, 8).argsort(1), False),
    "units of a Boltzmann machine": (lambda: torch.bernoulli(X / 2), False),
    "nothing": (X.floor, False),
}


@pytest.mark.parametrize("kind", DRAWS)
def test_what_is_a_mask(kind: str) -> None:
    draw, is_mask = DRAWS[kind]
    with DrawnMasks() as masks:
        draw()
    assert masks.drawn is is_mask


def test_it_changes_no_number() -> None:
    torch.manual_seed(3)
    plain = F.dropout(X, 0.5)
    torch.manual_seed(3)
    with DrawnMasks():
        assert torch.equal(F.dropout(X, 0.5), plain)
