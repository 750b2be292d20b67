"""Arguments that no answer hangs on."""

import pytest
import torch
from torch import nn

from danlu.watch.probes.arguments import ignored_arguments
from danlu.watch.trying import ModuleCall

X, T = torch.randn(6, 4), torch.arange(6)


class Timed(nn.Module):
    def __init__(self, when: str) -> None:
        super().__init__()
        self.layer, self.times, self.when = nn.Linear(4, 4), nn.Embedding(6, 4), when

    def forward(self, x: torch.Tensor, t: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
        uses = self.when == "always" or (self.when == "training" and self.training)
        h = self.layer(x) + self.times(t) if uses else self.layer(x)
        return h if noise is None else h + noise


@pytest.mark.parametrize(("when", "ignored"), [("never", {"t"}), ("training", set()), ("always", set())])
def test_an_argument_that_changes_nothing(when: str, ignored: set[str]) -> None:
    for args, kwargs in (((X, T), {}), ((X,), {"t": T, "noise": torch.randn(6, 4)})):
        assert ignored_arguments(ModuleCall.of(Timed(when), args, kwargs), X, 0) == ignored


def test_what_is_the_same_for_all_samples_tells_nothing() -> None:
    assert ignored_arguments(ModuleCall.of(Timed("never"), (X, torch.ones_like(T)), {}), X, 0) == set()
