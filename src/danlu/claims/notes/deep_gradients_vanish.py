"""Gradients multiply through layers, so they vanish in deep plain networks: the norm of the gradient by the weights of
the bottom layer over that of the top hidden layer, before any training, by depth."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from danlu.claims.bench import Bench
from danlu.claims.claim import Demonstration
from danlu.claims.deep import WIDTH, deep_net, finite, geometric_means, gradient_norms
from danlu.claims.evidence import (
    ClaimComparison,
    ClaimEvidence,
    CurveData,
    Plot,
    as_family,
    compared,
    placebo_control,
    positive_control,
)
from danlu.claims.options import ClaimOptions

_DEPTHS = (2, 5, 10, 20)
# Activation and initial weights; "default" are torch's.
_PLACES = {
    "sigmoid": ("sigmoid", "default"),
    "tanh": ("tanh", "default"),
    "ReLU": ("relu", "default"),
    "ReLU (Kaiming)": ("relu", "kaiming-normal"),
}
_SEEDS = 20
_MARGIN = 0.5  # a factor of about 3
_SHRINK = 0.01


def _norms(place: str, depth: int, seed: int, shrink: float = 1.0) -> list[float]:
    """By hidden layer from the bottom; the weights of the top one times `shrink`."""
    net = deep_net(depth, *_PLACES[place], seed)
    top = [layer for layer in net.modules() if isinstance(layer, nn.Linear)][depth - 1]
    with torch.no_grad():
        top.weight.mul_(shrink)
    return gradient_norms(net)[1][:depth]


def bottom_to_top(norms: Sequence[float]) -> float:
    """log10 of the first over the last, held at the smallest numbers of single precision.

    >>> bottom_to_top([0.01, 0.1, 1.0])
    -2.0
    """
    least = float(torch.finfo(torch.float32).tiny)
    return math.log10(max(norms[0], least) / max(norms[-1], least))


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("deep-gradients-vanish", "data", "target", "net")
    return {
        "data": "digits", "net": "mlp", "factor": "net.depth", "levels": {f"depth {depth}": {} for depth in _DEPTHS},
        "condition": {"net.activation": {place: {} for place in _PLACES}},
        "fixed": {"net.width": WIDTH, "steps": 0},
        "measure": "bottom-to-top", "expected": "less", "margin": options.margin_or(_MARGIN),
        "seeds": options.seeds_or(_SEEDS), "stopping": "all seeds",
        "controls": {"placebo": f"depth {_DEPTHS[0]}", "positive": f"depth {_DEPTHS[0]}, weights times {_SHRINK}"},
    }  # fmt: skip


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    seeds = options.seeds_or(_SEEDS)
    common: dict[str, Any] = {"measure": "bottom-to-top", "margin": options.margin_or(_MARGIN)}
    shallow = f"depth {_DEPTHS[0]}"
    comparisons: list[ClaimComparison] = []
    figure: list[Plot] = []
    for place in _PLACES:
        bench.note(place)
        norms = {depth: [_norms(place, depth, seed) for seed in seeds] for depth in _DEPTHS}
        before = [bottom_to_top(one) for one in norms[_DEPTHS[0]]]
        for depth in _DEPTHS[1:]:
            after = [bottom_to_top(one) for one in norms[depth]]
            names = (shallow, f"depth {depth}")
            comparisons.append(compared(before, after, names=names, expected="less", condition=place, **common))
        curves = [
            CurveData(f"depth {depth}", list(range(1, depth + 1)), finite(geometric_means(norms[depth])))
            for depth in _DEPTHS
        ]
        figure.append(Plot("layer", "gradient-norm", curves, log_y=True, title=place))
    first = next(iter(_PLACES))
    before, again, shrunk = (
        [bottom_to_top(_norms(first, _DEPTHS[0], start + seed, shrink)) for seed in seeds]
        for start, shrink in ((0, 1.0), (len(seeds), 1.0), (0, _SHRINK))
    )
    placebo = placebo_control(before, again, name=shallow, **common)
    small = f"{shallow}, weights times {_SHRINK}"
    positive = positive_control(before, shrunk, names=(shallow, small), expected="less", **common)
    controls = [placebo, positive]
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=figure)


DEEP_GRADIENTS_VANISH = Demonstration("deep-gradients-vanish", _parts, _carry_out)
