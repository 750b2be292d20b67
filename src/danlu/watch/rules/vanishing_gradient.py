"""vanishing-gradient: the gradient fades on its way down, and the first layers do not learn."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Layer, Measured
from danlu.watch.reading import moving_layers, squashing


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    layers = [layer for layer in moving_layers(measured) if "Norm" not in layer.kind and layer.kind != "Embedding"]
    if len(layers) < thresholds["depth"] or len(layers[0].gradient) < thresholds["times"]:
        return None
    newest = int(thresholds["times"])
    strongest = max(layers[len(layers) // 2 :], key=lambda layer: layer.gradient.median(newest))
    top = strongest.gradient.median(newest)
    if not top > thresholds["least"]:
        return None  # nothing to fade: the loss itself is at its floor
    weak = [layer for layer in layers[: len(layers) // 2 + 1] if _ratio(layer, top, newest) < thresholds["ratio"]]
    if not weak or weak[0] is not layers[0] or not _ratio(layers[1], top, newest) < thresholds["next"]:
        return None  # a side branch or a gate may get little; fading is gradual
    if max(layers[0].gradient_zero.values[-newest:]) > 0.999:
        return None  # a gradient of exactly 0 has other causes: dead units, a cut graph
    holds = [value < thresholds["ratio"] * top for value in layers[0].gradient.values]
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
    # Layers of healthy nets lie within a factor of a hundred of each other. Below a thousandth the first ones would
    # need a thousand times the rate of the last.
    thresholds={"ratio": 1e-3, "next": 0.1, "depth": 3, "times": 4, "least": 1e-7},
    symptoms=("plateau", "underfitting", "lr-too-low", "too-few-epochs"),
)
