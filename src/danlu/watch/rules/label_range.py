"""label-range: targets that the loss, or the net's outputs, cannot stand for."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import target_bounds


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.labels
    low, high = target_bounds(measured)
    if not math.isfinite(low):
        return None
    numbers = {"low": low, "high": high, "outputs": facts.outputs, "last": facts.outputs - 1}
    if facts.out_of_range is not None:
        return Verdict("error", facts.out_of_range, numbers, variant="classes", remedies=("count-from-zero",))
    if facts.kind == "binary" and (low < -1e-6 or high > 1 + 1e-6):
        return Verdict("error", 1, numbers, variant="binary", remedies=("targets-to-01",))
    if facts.kind == "classes":
        # All classes but the first. Of a vocabulary some words never occur, and the first often stands for padding.
        never = not _is_vocabulary(measured) and sorted(facts.counts) == list(range(1, facts.outputs))
        if never and facts.seen > thresholds["labels"] * facts.outputs and facts.excess < 4:
            return Verdict("advice", 1, numbers, variant="shifted", remedies=("count-from-zero",))
    size = max(abs(low), abs(high))
    if facts.kind == "numbers" and size > thresholds["size"]:
        severity = "warning" if size > thresholds["far"] else "advice"
        return Verdict(severity, 1, numbers, variant="unscaled", remedies=("scale-targets",))
    return None


def _is_vocabulary(measured: Measured) -> bool:
    """Whether the answers are tokens: one at each place, or as many as stand in the input."""
    facts = measured.labels
    return facts.dense or (
        not measured.inputs.floating and max(measured.inputs.high.values, default=0) >= facts.outputs - 1
    )


RULE = Rule(
    "label-range",
    _judge,
    "torch: classes count from 0 to C-1, binary targets lie in [0, 1]; LeCun et al. 1998 for the scale of targets",
    # A new net answers within about ±1. Targets in the hundreds cost it many steps; in the thousands the squared error
    # begins at a million and its gradient throws the weights away.
    thresholds={"labels": 20, "size": 100.0, "far": 1000.0},
    symptoms=(
        "nonfinite", "lr-too-high", "exploding-gradient", "initial-loss", "dead-relu", "plateau", "underfitting",
        "lr-too-low", "loss-mismatch", "output-activation", "saturated", "too-few-epochs", "clip-too-tight",
        "vanishing-gradient",
    ),
)  # fmt: skip
