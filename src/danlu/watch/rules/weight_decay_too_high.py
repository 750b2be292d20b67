"""weight-decay-too-high: the decay pulls harder than the loss, and the weights wither."""

import math
import statistics

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import chance_loss, moving_layers


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    pulling = [one for one in measured.optimisers if one.weight_decay >= thresholds["min_weight_decay"]]
    if not pulling or measured.step < thresholds["min_steps"]:
        return None
    one = max(pulling, key=lambda one: one.weight_decay)
    ratios = [
        layer.weight.median(3) / layer.weight.first
        for layer in moving_layers(measured)
        if layer.weight.first > 0 and len(layer.weight) >= 4 and "Norm" not in layer.kind
    ]
    left = statistics.median(ratios) if ratios else math.nan
    # Where it has won, little is left that it could pull at.
    share = max(one.decay_share.median(5), one.decay_share.median())
    pulls = one.decoupled or share > thresholds["min_decay_ratio"]
    strongly = not one.decoupled and share > thresholds["min_strong_decay_ratio"]
    if not (left < thresholds["max_weight_ratio"] and pulls) and not (
        left < thresholds["max_waning_weight_ratio"] and strongly
    ):
        return None
    end, lowest = measured.loss.end(0.1), min(measured.loss.means, default=math.nan)
    chance = chance_loss(measured)
    begin = min(measured.loss.begin(0.05), chance) if math.isfinite(chance) else measured.loss.begin(0.05)
    # Nets with normalisation do not feel the size of their weights: they go on learning, and nothing is said.
    if end < thresholds["min_loss_ratio"] * begin and end < thresholds["min_lowest_loss_ratio"] * lowest + 0.02:
        return None
    severity = "error" if math.isfinite(chance) and end > 0.95 * chance else "warning"
    numbers = {"decay": one.weight_decay, "left": left, "share": share, "loss": end}
    return Verdict(severity, measured.step, numbers, remedies=({"optim.weight_decay": 0.0001},))


RULE = Rule(
    "weight-decay-too-high",
    _judge,
    "Krogh and Hertz 1991, A Simple Weight Decay Can Improve Generalization, NIPS 4",
    severities=("error", "warning"),
    needs=("optimizer", "steps"),
    fault_in="optimizer",
    optimizer_with="weight_decay",
    remedies=({"optim.weight_decay": 0.0001},),
    # Decay that is stronger than the loss's own gradient while half of the weights' size is gone, and a loss that has
    # not halved: the balance lies where the net can hardly answer.
    thresholds={
        "min_weight_decay": Threshold(1e-3, "decay", "least"),
        "min_steps": Threshold(30, "steps", "steps"),
        "max_weight_ratio": Threshold(0.5, "times", "left"),
        "min_decay_ratio": Threshold(0.5, "times", "share"),
        "max_waning_weight_ratio": Threshold(0.8, "times", "waning"),
        "min_strong_decay_ratio": Threshold(3.0, "times", "strong"),
        "min_loss_ratio": Threshold(0.5, "times", "learnt"),
        "min_lowest_loss_ratio": Threshold(1.3, "times", "worse"),
    },
    symptoms=(
        "output-collapsed", "vanishing-gradient", "plateau", "underfitting", "dead-relu", "lr-too-low", "bad-init",
        "lr-too-high", "too-few-epochs", "label-imbalance",
    ),
)  # fmt: skip
