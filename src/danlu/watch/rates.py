"""Learning rates at which each kind of optimiser trains, and the one that fits a net at its first step."""

import math
import statistics

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.reading import moving_layers

# Lowest, usual and highest rate by torch's class: the usual one is torch's or its paper's default.
_USUAL = {
    "Adam": (1e-5, 1e-3, 1e-2), "AdamW": (1e-5, 1e-3, 1e-2), "NAdam": (1e-5, 2e-3, 1e-2), "RAdam": (1e-5, 1e-3, 1e-2),
    "Adamax": (1e-5, 2e-3, 1e-2), "SparseAdam": (1e-5, 1e-3, 1e-2), "RMSprop": (1e-5, 1e-3, 1e-2),
    "Lion": (1e-6, 1e-4, 1e-3), "Adafactor": (1e-4, 1e-2, 1e-1), "Adagrad": (1e-4, 1e-2, 1e-1),
    "Rprop": (1e-4, 1e-2, 1e-1), "Adadelta": (1e-2, 1.0, 10.0), "LBFGS": (1e-2, 1.0, 1.0), "Muon": (1e-4, 1e-3, 1e-1),
}  # fmt: skip
_PLAIN = (1e-4, 1e-2, 1.0)  # SGD and whatever else multiplies the gradient by its rate
_SHARE = 0.01  # of a layer's weight, changed by a first step that a range test would choose


def usual_rates(kind: str) -> tuple[float, float, float]:
    """The lowest, the usual and the highest rate of a kind of optimiser, torch's class or the name in a recipe.

    >>> usual_rates("AdamW"), usual_rates("sparse-adam") == usual_rates("SparseAdam"), usual_rates("sgd")
    ((1e-05, 0.001, 0.01), True, (0.0001, 0.01, 1.0))
    """
    plain = kind.lower().replace("-", "").replace("_", "")
    return next((rates for name, rates in _USUAL.items() if name.lower() == plain), _PLAIN)


def fitting_rate(measured: Measured, optimiser: Optimiser) -> float:
    """A rate at which this net should train, whatever rate it was given; one significant digit.

    Adaptive optimisers train at their usual rate. For the others the gradient of the first step says it, which was
    taken before any step could spoil the weights: the rate that changes the middle layer by a hundredth of itself,
    with momentum, which adds up 1 / (1 - momentum) steps, by that much less.
    """
    low, usual, high = usual_rates(optimiser.kind)
    if (low, usual, high) != _PLAIN:
        return usual
    layers = [layer for layer in moving_layers(measured) if layer.kind != "Embedding" and "Norm" not in layer.kind]
    pairs = [(layer.weight.first, layer.gradient.first) for layer in layers]
    ratios = [weight / slope for weight, slope in pairs if 0 < slope < math.inf and 0 < weight < math.inf]
    momentum = min(optimiser.momentum, 0.99)
    wanted = _SHARE * (1 - momentum) * statistics.median(ratios) if ratios else usual
    return float(f"{min(high, max(low, wanted)):.1g}")


def lower_rate(measured: Measured, optimiser: Optimiser) -> float:
    """The fitting rate, where it is well below the present one; else a tenth of that."""
    fitting = fitting_rate(measured, optimiser)
    return fitting if fitting < optimiser.highest_rate / 3 else _rounded(optimiser.highest_rate / 10)


def higher_rate(measured: Measured, optimiser: Optimiser) -> float:
    """The fitting rate, where it is well above the present one; else ten times that."""
    fitting = fitting_rate(measured, optimiser)
    return fitting if fitting > 3 * optimiser.highest_rate else _rounded(optimiser.highest_rate * 10)


def _rounded(rate: float) -> float:
    return float(f"{rate:.1g}")
