"""Losses that by their formula are never negative, and are."""

import torch

from danlu.watch.loss_facts import LowLoss
from danlu.watch.patches import LossCall
from danlu.watch.tracing import unreadable

_NEVER_NEGATIVE = (
    "cross_entropy_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div",
)  # fmt: skip
_ROUNDING = 1e-4  # below 0


def too_low(call: LossCall, result: torch.Tensor) -> LowLoss | None:
    """A loss of a function that is never negative, and is."""
    if call.name not in _NEVER_NEGATIVE or (call.kind == "divergence" and call.single):
        return None
    if unreadable(result) or unreadable(call.targets) or not call.targets.numel():
        return None
    value = float(result.min())
    if not value < -_ROUNDING:
        return None
    low, high = torch.aminmax(call.targets)
    return LowLoss(0, call.name, value, float(low), float(high), call.weighted)
