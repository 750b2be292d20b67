"""weight-decay-too-high: the decay pulls harder than the loss, and the weights wither."""

import math
import statistics

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import chance_loss, moving_layers


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    pulling = [one for one in measured.optimisers if one.weight_decay >= thresholds["min_weight_decay"]]
    if not pulling:
        return _by_hand(measured, thresholds)
    if measured.step < thresholds["min_steps"]:
        return None
    one = max(pulling, key=lambda one: one.weight_decay)
    left = _left(measured)
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


def _left(measured: Measured) -> float:
    """What is left of the weights, as a share of their first size."""
    ratios = [
        layer.weight.median(3) / layer.weight.first
        for layer in moving_layers(measured)
        if layer.weight.first > 0 and len(layer.weight) >= 4 and "Norm" not in layer.kind
    ]
    return statistics.median_low(ratios) if ratios else math.nan


def _by_hand(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """A penalty in the loss, which no optimiser knows of: its gradient points from 0 through the weights."""
    layers = [layer for layer in moving_layers(measured) if len(layer.inward) >= thresholds["min_measurements"]]
    left, chance = _left(measured), chance_loss(measured)
    if not layers or measured.step < thresholds["min_steps"] or not left < thresholds["max_weight_ratio"]:
        return None
    pull = statistics.median(layer.inward.median() for layer in layers)
    heads = measured.heads[-1:]
    loss = heads[0].value if heads else measured.loss.end(0.1)  # without the penalty
    known = chance if math.isfinite(chance) else measured.loss.begin(0.05)
    if pull < thresholds["min_pull"] or not loss > thresholds["min_loss_ratio"] * known:
        return None
    severity = "error" if math.isfinite(chance) and loss > 0.95 * chance else "warning"
    numbers = {"left": left, "pull": pull, "loss": loss}
    return Verdict(severity, measured.step, numbers, variant="by-hand", remedies=("smaller-penalty",))


RULE = Rule(
    "weight-decay-too-high",
    _judge,
    "Krogh and Hertz 1991, A Simple Weight Decay Can Improve Generalization, NIPS 4",
    severities=("error", "warning"),
    needs=("optimizer", "steps"),
    fault_in="optimizer",
    optimizer_with="weight_decay",
    variants_in={"by-hand": "loss"},
    remedies=({"optim.weight_decay": 0.0001}, "smaller-penalty"),
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
        # The gradient of what a net has yet to learn is nearly at right angles to its weights.
        "min_pull": Threshold(0.5, "number"),
        "min_measurements": Threshold(4, "measurements"),
    },
    symptoms=(
        "output-collapsed", "vanishing-gradient", "plateau", "underfitting", "dead-relu", "lr-too-low", "bad-init",
        "lr-too-high", "too-few-epochs", "label-imbalance",
    ),
)  # fmt: skip
