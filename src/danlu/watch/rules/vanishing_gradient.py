"""vanishing-gradient: the gradient fades on its way down, and the first layers do not learn."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.reading import moving_layers, squashing


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    layers = [layer for layer in moving_layers(measured) if "Norm" not in layer.kind and layer.kind != "Embedding"]
    if len(layers) < thresholds["min_layers"] or len(layers[0].gradient) < thresholds["min_measurements"]:
        return None
    newest = int(thresholds["min_measurements"])
    strongest = max(layers[len(layers) // 2 :], key=lambda layer: layer.gradient.median(newest))
    top = strongest.gradient.median(newest)
    if not top > thresholds["min_gradient_norm"]:
        return None  # nothing to fade: the loss itself is at its floor
    weak = [
        layer
        for layer in layers[: len(layers) // 2 + 1]
        if _ratio(layer, top, newest) < thresholds["max_gradient_ratio"]
    ]
    if (
        not weak
        or weak[0] is not layers[0]
        or not _ratio(layers[1], top, newest) < thresholds["max_next_gradient_ratio"]
    ):
        return None  # a side branch or a gate may get little; fading is gradual
    if max(layers[0].gradient_zero.values[-newest:]) > 0.999:
        return None  # a gradient of exactly 0 has other causes: dead units, a cut graph
    holds = [value < thresholds["max_gradient_ratio"] * top for value in layers[0].gradient.values]
    if not all(holds[-newest:]):
        return None
    numbers = {
        "first": layers[0].gradient.median(newest),
        "last": top,
        "ratio": _ratio(layers[0], top, newest),
        "name": strongest.name,
        "layers": len(layers),
        "weak": len(weak),
    }
    kind = squashing(measured)
    remedies = ({"net.activation": "relu"}, {"net.norm": "batch"}, "residual")
    since = layers[0].gradient.since(holds)
    where = tuple(layer.name for layer in weak)
    return Verdict("error", since, numbers, where, variant=kind, remedies=remedies[0 if kind else 1 :])


def _ratio(layer: Layer, top: float, newest: int) -> float:
    value = layer.gradient.median(newest)
    return value / top if math.isfinite(value) else math.nan


RULE = Rule(
    "vanishing-gradient",
    _judge,
    "Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
    severities=("error",),
    needs=("optimizer", "measurements"),
    fault_in="module",
    remedies=({"net.activation": "relu"}, {"net.norm": "batch"}, "residual"),
    # Layers of healthy nets lie within a factor of a hundred of each other. Below a thousandth the first ones would
    # need a thousand times the rate of the last.
    thresholds={
        "max_gradient_ratio": Threshold(1e-3, "times", "ratio"),
        "max_next_gradient_ratio": Threshold(0.1, "times", "next"),
        "min_layers": Threshold(3, "layers", "depth"),
        "min_measurements": Threshold(4, "measurements", "times"),
        "min_gradient_norm": Threshold(1e-7, "norm", "least"),
    },
    symptoms=("output-collapsed", "plateau", "underfitting", "lr-too-low", "too-few-epochs"),
)
