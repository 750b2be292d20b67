"""Stacked linear layers without a non-linearity are one: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""

from collections.abc import Sequence

import torch

from danlu.base.seeds import stream
from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot


def _layers(depth: int, width: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weights [width, width] and biases of so many layers, in float64."""
    numbers = stream(depth, "linear-layers-collapse")
    return [
        (
            torch.randn(width, width, dtype=torch.float64, generator=numbers),
            torch.randn(width, dtype=torch.float64, generator=numbers),
        )
        for _ in range(depth)
    ]


def _checks() -> dict[str, float]:
    """The largest distance, relative to the outputs, over nets of two to six layers."""
    worst = 0.0
    x = torch.randn(100, 8, dtype=torch.float64, generator=stream(0, "linear-layers-collapse", "inputs"))
    for depth in range(2, 7):
        outputs, matrix, bias = x, torch.eye(8, dtype=torch.float64), torch.zeros(8, dtype=torch.float64)
        for weight, shift in _layers(depth, 8):
            outputs = outputs @ weight.T + shift
            matrix, bias = weight @ matrix, weight @ bias + shift
        worst = max(worst, float((outputs - (x @ matrix.T + bias)).abs().max() / outputs.abs().max()))
    return {"one-layer": worst}


def _figure() -> Sequence[Plot]:
    """Three layers along a line of inputs: straight without, bent with a non-linearity between them."""
    line = torch.linspace(-3, 3, 121, dtype=torch.float64)
    curves: list[CurveData] = []
    for label in ("linear-layers", "with-tanh"):
        outputs = line[:, None] * torch.ones(4, dtype=torch.float64)
        for weight, shift in _layers(3, 4):
            outputs = outputs @ weight.T + shift
            outputs = torch.tanh(outputs) if label == "with-tanh" else outputs / 4
        curves.append(CurveData(label, line.tolist(), outputs[:, 0].tolist()))
    return [Plot("input", "output", curves)]


LINEAR_LAYERS_COLLAPSE = IdentityClaim("linear-layers-collapse", {"one-layer": 1e-12}, _checks, _figure)
