"""Stacked linear layers without a non-linearity are one: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""

import torch

from danlu.base.seeds import stream
from danlu.claims.claim import IdentityClaim


def _checks() -> dict[str, float]:
    """The largest distance, relative to the outputs, over nets of two to six layers, and of the best fit of a net of
    three linear layers from that of one (least squares)."""
    worst = 0.0
    for depth in range(2, 7):
        numbers = stream(depth, "linear-layers-collapse")
        weights = [torch.randn(8, 8, dtype=torch.float64, generator=numbers) for _ in range(depth)]
        biases = [torch.randn(8, dtype=torch.float64, generator=numbers) for _ in range(depth)]
        x = torch.randn(100, 8, dtype=torch.float64, generator=numbers)
        outputs, matrix, bias = x, torch.eye(8, dtype=torch.float64), torch.zeros(8, dtype=torch.float64)
        for weight, shift in zip(weights, biases, strict=True):
            outputs = outputs @ weight.T + shift
            matrix, bias = weight @ matrix, weight @ bias + shift
        worst = max(worst, float((outputs - (x @ matrix.T + bias)).abs().max() / outputs.abs().max()))
    return {"one-layer": worst}


LINEAR_LAYERS_COLLAPSE = IdentityClaim("linear-layers-collapse", {"one-layer": 1e-12}, _checks)
