"""output-activation: what the net ends in keeps it from giving the answers that are asked for."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.loss_facts import Head
from danlu.watch.measured import Measured
from danlu.watch.reading import HANDS_ON, SQUARED_LOSSES, steady_heads, target_bounds

_BOUNDS = {"Relu": (0.0, math.inf), "Sigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0), "Softmax": (0.0, 1.0),
           "Softplus": (0.0, math.inf), "Exp": (0.0, math.inf), "Hardsigmoid": (0.0, 1.0)}  # fmt: skip
_BENDING = {"Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Gelu", "Silu", "Softplus", "Hardtanh", "Hardsigmoid"}
_LOGITS = ("cross-entropy", "bce-logits")


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for head in steady_heads(measured):
        last = next((kind for kind in head.between if kind not in HANDS_ON), "")
        found = _of_head(head, last, measured, thresholds)
        if found:
            return found
    return None


def _of_head(head: Head, last: str, measured: Measured, thresholds: Thresholds) -> Verdict | None:
    name = last.lower()
    if head.across_batch:
        return Verdict(
            "error", 1, {"shape": "×".join(map(str, head.shape))}, variant="batch", remedies=("softmax-dim",)
        )
    if last == "Softmax" and head.shape[-1:] == (1,):
        return Verdict("error", 1, {}, variant="one", remedies=("linear-output",))
    if head.loss in _LOGITS and last in _BENDING and not (head.loss == "bce-logits" and last == "Sigmoid"):
        severity = "warning" if last in ("Relu", "Sigmoid", "Tanh", "Hardtanh", "Hardsigmoid") else "advice"
        numbers = {"activation": name, "loss": head.loss}
        return Verdict(severity, 1, numbers, variant="logits", remedies=("linear-output",), in_pass=(name,))
    if head.loss in SQUARED_LOSSES and last in _BOUNDS:
        low, high = target_bounds(measured)
        known = head.labelled and math.isfinite(low) and measured.labels.kind == "numbers"
        low, high = (low, high) if known else (head.target_low, head.target_high)
        least, most = _BOUNDS[last]
        room = thresholds["min_overshoot_share"] * max(high - low, 1e-12) if math.isfinite(low) else math.nan
        if low < least - room or high > most + room:
            numbers = {"activation": name, "low": low, "high": high, "least": least, "most": most}
            return Verdict("error", 1, numbers, variant="range", remedies=("linear-output",), in_pass=(name,))
    return None


RULE = Rule(
    "output-activation",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 6.2.2",
    severities=("error", "warning", "advice"),
    needs=("loss",),
    fault_in="module",
    remedies=("softmax-dim", "linear-output"),
    # A twentieth of the targets' range beyond the bound: an outlier or a rounding is not meant.
    thresholds={
        "min_overshoot_share": Threshold(0.05, "share", "room"),
    },
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "dead-relu", "saturated", "vanishing-gradient", "lr-too-low",
        "too-few-epochs", "label-range", "loss-mismatch", "initial-loss", "bad-init", "no-update", "samples-mixed",
    ),
)  # fmt: skip
