"""initial-loss: before the first step the net is surer of itself than it can be."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import CLASS_LOSSES, first_heads, guess_loss, largest_first_spread


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.before:
        return None
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
            severity = "advice" if _is_overcome(measured, thresholds) else "warning"
            return Verdict(severity, 1, numbers, remedies=("smaller-head",))
    return None


def _is_overcome(measured: Measured, thresholds: Thresholds) -> bool:
    """Whether the loss came below guessing in the first fifth of the training, and is far below it now."""
    guess = guess_loss(measured)
    soon = min(measured.loss.part(0.0, thresholds["soon"]), default=math.inf)
    return measured.ended and soon < guess and measured.loss.end(0.1) < thresholds["learnt"] * guess


RULE = Rule(
    "initial-loss",
    _judge,
    "Karpathy 2019, A Recipe for Training Neural Networks: verify loss @ init; it is ln C for C classes",
    # Logits that spread by 1 add half a unit, those of a wide layer with a large gain a whole one. Twice ln C and one
    # more means logits that spread by 3 and over: the first steps only undo them. Where a fifth of the training was
    # enough for that, and much was learnt after it, little was lost.
    thresholds={"factor": 2.0, "more": 1.0, "spread": 20.0, "soon": 0.2, "learnt": 0.5},
    reads="start",
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
