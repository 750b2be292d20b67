"""Xavier's initial weights keep the variance of every layer's outputs: that of the last of ten hidden layers against
that of the first, before any training, by activation; and, in the picture, what other initial weights do."""

import math
from typing import Any

import torch

from danlu.claims.bench import Bench
from danlu.claims.claim import Demonstration
from danlu.claims.deep import WIDTH, deep_net, digits_batch, finite, geometric_means
from danlu.claims.evidence import (
    ClaimComparison,
    ClaimEvidence,
    Control,
    CurveData,
    Plot,
    as_family,
    compared,
    placebo_control,
    positive_control,
)
from danlu.claims.options import ClaimOptions
from danlu.lab.functions.variance import layer_variances
from danlu.nets.blocks import ACTIVATIONS

_DEPTH = 10
_PLACES = {"linear": "none", "tanh": "tanh", "ReLU": "relu"}
_XAVIER, _SMALL = "Xavier", "N(0, 0.01²)"
_INITS: dict[str, Any] = {
    _XAVIER: "xavier-uniform", "Kaiming": "kaiming-uniform", "N(0, 1)": ["normal", 1.0], _SMALL: ["normal", 0.01],
}  # fmt: skip
_SEEDS = 20
_MARGIN = 0.3  # a factor of 2


def variances(activation: str, init: Any, seed: int) -> list[float]:
    """Of the outputs of each hidden layer, after its activation, from the bottom."""
    net = deep_net(_DEPTH, activation, init, seed)
    kind = ACTIVATIONS[activation]
    x, _ = digits_batch()
    if kind is torch.nn.Identity:
        kind = torch.nn.Linear
    found = layer_variances(net.layers, x, "net")
    shown = {name for name, layer in net.layers.named_modules() if isinstance(layer, kind)}
    return [value for name, value in zip(found.layers, found.variances, strict=True) if name in shown][:_DEPTH]


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("xavier-keeps-variance", "data", "target", "net")
    return {
        "data": "digits", "net": "mlp", "factor": "layer", "levels": {"layer 1": {}, f"layer {_DEPTH}": {}},
        "condition": {"net.activation": {place: {} for place in _PLACES}},
        "fixed": {"net.init": _INITS[_XAVIER], "net.depth": _DEPTH, "net.width": WIDTH, "steps": 0},
        "measure": "log-variance", "expected": "same", "margin": options.margin_or(_MARGIN),
        "seeds": options.seeds_or(_SEEDS), "stopping": "all seeds",
        "controls": {"placebo": "layer 1", "positive": f"layer {_DEPTH}, {_SMALL}"},
    }  # fmt: skip


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    seeds = options.seeds_or(_SEEDS)
    names = ("layer 1", f"layer {_DEPTH}")
    common: dict[str, Any] = {"measure": "log-variance", "margin": options.margin_or(_MARGIN)}
    comparisons: list[ClaimComparison] = []
    controls: list[Control] = []
    figure: list[Plot] = []
    for place, activation in _PLACES.items():
        bench.note(place)
        found = {level: [variances(activation, init, seed) for seed in seeds] for level, init in _INITS.items()}
        first, last = ([math.log10(one[layer]) for one in found[_XAVIER]] for layer in (0, -1))
        comparisons.append(compared(first, last, names=names, expected="same", condition=place, **common))
        if not controls:
            others = [math.log10(variances(activation, _INITS[_XAVIER], len(seeds) + seed)[0]) for seed in seeds]
            small = [[math.log10(one[layer]) for one in found[_SMALL]] for layer in (0, -1)]
            placebo = placebo_control(first, others, name=names[0], **common)
            shrunk = (names[0], f"{names[1]}, {_SMALL}")
            positive = positive_control(*small, names=shrunk, expected="less", **common)
            controls = [placebo, positive]
        layers = list(range(1, _DEPTH + 1))
        curves = [CurveData(level, layers, finite(geometric_means(rows))) for level, rows in found.items()]
        figure.append(Plot("layer", "variance", curves, log_y=True, title=place))
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=figure)


XAVIER_KEEPS_VARIANCE = Demonstration("xavier-keeps-variance", _parts, _carry_out)
