"""initial-loss: before the first step the net is surer of itself than it can be."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import CLASS_LOSSES, first_heads, guess_loss, largest_first_spread


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.before:
        return None
    if largest_first_spread(measured) > thresholds["max_output_std"]:
        return None  # the logits are large because what comes to them is: no matter of the last layer
    for head in first_heads(measured):
        if head.loss in CLASS_LOSSES and len(head.shape) > 1 and head.shape[1] > 1:
            expected = math.log(head.shape[1])
        elif head.loss in ("bce-logits", "bce"):
            expected = math.log(2)
        else:
            continue
        if (
            math.isfinite(head.value)
            and head.value > thresholds["min_loss_ratio"] * expected + thresholds["min_loss_excess"]
        ):
            numbers = {"loss": head.value, "expected": expected, "answers": round(math.exp(expected))}
            severity = "advice" if _is_overcome(measured, thresholds) else "warning"
            return Verdict(severity, 1, numbers, remedies=("smaller-head",))
    return None


def _is_overcome(measured: Measured, thresholds: Thresholds) -> bool:
    """Whether the loss came below guessing in the first fifth of the training, and is far below it now."""
    guess = guess_loss(measured)
    soon = min(measured.loss.part(0.0, thresholds["min_recovery_share"]), default=math.inf)
    return measured.ended and soon < guess and measured.loss.end(0.1) < thresholds["min_final_loss_ratio"] * guess


RULE = Rule(
    "initial-loss",
    _judge,
    "Karpathy 2019, A Recipe for Training Neural Networks",
    severities=("warning", "advice"),
    needs=("loss",),
    fault_in="module",
    remedies=("smaller-head",),
    # Logits that spread by 1 add half a unit, those of a wide layer with a large gain a whole one. Twice ln C and one
    # more means logits that spread by 3 and over: the first steps only undo them. Where a fifth of the training was
    # enough for that, and much was learnt after it, little was lost.
    thresholds={
        "min_loss_ratio": Threshold(2.0, "times", "factor"),
        "min_loss_excess": Threshold(1.0, "loss", "more"),
        "max_output_std": Threshold(20.0, "number", "spread"),
        "min_recovery_share": Threshold(0.2, "share", "soon"),
        "min_final_loss_ratio": Threshold(0.5, "times", "learnt"),
    },
    reads="start",
    symptoms=(
        "lr-too-high", "exploding-gradient", "too-few-epochs", "plateau", "underfitting", "nonfinite", "dead-relu",
    ),
)  # fmt: skip
