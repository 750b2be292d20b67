"""initial-loss: before the first step the net is surer of itself than it can be."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import CLASS_LOSSES, first_heads, largest_first_spread


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if largest_first_spread(measured) > thresholds["spread"]:
        return None  # the logits are large because what comes to them is: no matter of the last layer
    for head in first_heads(measured):
        if head.loss in CLASS_LOSSES and len(head.shape) > 1 and head.shape[1] > 1:
            expected = math.log(head.shape[1])
        elif head.loss in ("bce-logits", "bce"):
            expected = math.log(2)
        else:
            continue
        if math.isfinite(head.value) and head.value > thresholds["factor"] * expected + thresholds["more"]:
            numbers = {"loss": head.value, "expected": expected, "answers": round(math.exp(expected))}
            return Verdict("warning", 1, numbers, remedies=("smaller-head",))
    return None


RULE = Rule(
    "initial-loss",
    _judge,
    "Karpathy 2019, A Recipe for Training Neural Networks: verify loss @ init; it is ln C for C classes",
    # Logits that spread by 1 add half a unit, those of a wide layer with a large gain a whole one. Twice ln C and one
    # more means logits that spread by 3 and over: the first steps only undo them.
    thresholds={"factor": 2.0, "more": 1.0, "spread": 20.0},
    symptoms=(
        "lr-too-high",
        "exploding-gradient",
        "too-few-epochs",
        "plateau",
        "underfitting",
        "nonfinite",
        "dead-relu",
    ),
)
