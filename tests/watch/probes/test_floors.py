"""Losses below 0."""

import pytest
import torch

from danlu.watch.patches import LossCall
from danlu.watch.probes.floors import too_low


@pytest.mark.parametrize(
    ("name", "kind", "value", "found"),
    [
        ("kl_div", "divergence", -0.3, True), ("kl_div", "divergence", 0.0, False),
        ("mse_loss", "numbers", -0.3, False), ("binary_cross_entropy", "binary", -1e-6, False),
        ("cross_entropy_loss", "classes", -2.0, True),
    ],
)  # fmt: skip
def test_a_loss_that_is_never_negative_and_is(name: str, kind: str, value: float, found: bool) -> None:
    call = LossCall(name, kind, torch.zeros(3), torch.tensor([0.5, 2.0, 1.0]), False, False)
    low = too_low(call, torch.tensor(value))
    assert (low is not None) == found
    if low is not None:
        assert (low.value, low.low, low.high) == (pytest.approx(value), 0.5, 2.0)
