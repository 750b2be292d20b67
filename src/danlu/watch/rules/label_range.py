"""label-range: targets that the loss, or the net's outputs, cannot stand for."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
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
        if never and facts.seen > thresholds["min_labels_per_class"] * facts.outputs and facts.excess < 4:
            return Verdict("advice", 1, numbers, variant="shifted", remedies=("count-from-zero",))
    size = max(abs(low), abs(high))
    if facts.kind == "numbers" and size > thresholds["min_target"]:
        severity = "warning" if size > thresholds["min_target_warning"] else "advice"
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
    "PyTorch, torch.nn.CrossEntropyLoss and BCELoss; LeCun et al. 1998, Efficient BackProp, section 4.5",
    severities=("error", "warning", "advice"),
    needs=("labels",),
    fault_in="loss",
    remedies=("count-from-zero", "targets-to-01", "scale-targets"),
    # A new net answers within about ±1. Targets in the hundreds cost it many steps; in the thousands the squared error
    # begins at a million and its gradient throws the weights away.
    thresholds={
        "min_labels_per_class": Threshold(20, "labels", "labels"),
        "min_target": Threshold(100.0, "number", "size"),
        "min_target_warning": Threshold(1000.0, "number", "far"),
    },
    symptoms=(
        "output-collapsed", "nonfinite", "lr-too-high", "exploding-gradient", "initial-loss", "dead-relu", "plateau",
        "underfitting", "lr-too-low", "loss-mismatch", "output-activation", "saturated", "too-few-epochs",
        "clip-too-tight", "vanishing-gradient",
    ),
)  # fmt: skip
