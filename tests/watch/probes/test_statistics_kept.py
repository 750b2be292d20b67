"""Statistics that a net goes on averaging, whatever mode it is in."""

import pytest
import torch
from torch import nn

from danlu.watch.probes.statistics_kept import averages


class Normalising(nn.Module):
    """Batch normalisation by hand."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.mean = torch.zeros(3)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "always" or (self.kind == "in training" and self.training):
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        if self.kind == "kept":
            self.mean = x.mean(0)  # for somebody to look at
        if self.kind == "counted":
            self.calls += 1
        return x - x.mean(0)


@pytest.mark.parametrize(
    ("kind", "found"),
    [("always", (("", "mean"),)), ("in training", ()), ("kept", ()), ("counted", ())],
)
def test_only_averages_count(kind: str, found: tuple[tuple[str, str], ...]) -> None:
    module, x = Normalising(kind).eval(), torch.randn(8, 3)
    assert averages(module, lambda: module(x)) == found


def test_torchs_own_normalisation_stands_still() -> None:
    module, x = nn.BatchNorm1d(3).eval(), torch.randn(8, 3)
    assert averages(module, lambda: module(x)) == ()
    assert {name for _, name in averages(module.train(), lambda: module(x))} == {"running_mean", "running_var"}
