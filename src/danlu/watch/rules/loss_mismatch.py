"""loss-mismatch: this loss is not for these outputs or targets."""

import math
from dataclasses import replace

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.loss_facts import Head
from danlu.watch.measured import Measured
from danlu.watch.reading import SQUARED_LOSSES, steady_heads


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.refused == "binary_cross_entropy":
        numbers = {"low": measured.refused_low, "high": measured.refused_high}
        return Verdict("error", max(1, measured.step), numbers, variant="bce", remedies=("with-logits",))
    if abs(measured.divergence_sum - 1) > thresholds["min_sum_error"]:
        numbers = {"sum": measured.divergence_sum}
        return Verdict("error", 1, numbers, variant="divergence", remedies=("log-softmax",))
    if abs(measured.alignment_sum - 1) > thresholds["min_sum_error"]:
        numbers = {"sum": measured.alignment_sum}
        return Verdict("error", 1, numbers, variant="alignment", remedies=("log-softmax",))
    line = measured.code.get("sign")
    if line is not None and measured.step:
        return Verdict("error", 1, {"loss": measured.loss.last}, variant="sign", remedies=("minimise",), line=line)
    line = measured.code.get("penalty")
    if line is not None and measured.step:
        numbers = {"loss": measured.loss.last}
        return Verdict("error", 1, numbers, variant="penalty", remedies=("add-penalty",), line=line)
    line = measured.code.get("turned")
    if line is not None and measured.step:
        numbers = {"loss": measured.loss.last}
        return Verdict("error", 1, numbers, variant="divergence-sign", remedies=("add-divergence",), line=line)
    found = _of_rewards(measured, thresholds)
    if found is not None:
        return found
    line = measured.code.get("derivative")
    if line is not None and measured.step:
        return Verdict("error", 1, {}, variant="derivative", remedies=("create-graph",), line=line)
    if measured.overlaps_of_logits > 1:
        line = measured.code.get("overlap")
        return Verdict("error", 1, {}, variant="overlap", remedies=("overlap-of-shares",), line=line)
    for head in steady_heads(measured):
        found = _of_head(head, measured, thresholds)
        if found:
            return replace(found, line=head.line)
    return None


def _of_rewards(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """A policy that makes what paid off less likely, or lowers its entropy; an actor that flees high values."""
    if not measured.optimisers or any(one.maximizes for one in measured.optimisers):
        return None
    rewarded, least = measured.rewarded, thresholds["min_passes"]
    if rewarded.against.get(True, 0) >= least and not rewarded.against.get(False):
        line = measured.code.get("advantage")
        return Verdict("error", 1, {}, variant="policy", remedies=("turn-policy",), line=line)
    right = rewarded.against.get(False, 0) >= least and not rewarded.against.get(True)
    if right and rewarded.entropy_lowered.get(True, 0) >= least and not rewarded.entropy_lowered.get(False):
        line = measured.code.get("entropy")
        return Verdict("error", 1, {}, variant="entropy", remedies=("subtract-entropy",), line=line)
    line = measured.code.get("flees")
    if line is not None and measured.step:
        return Verdict("error", 1, {}, variant="actor", remedies=("turn-actor",), line=line)
    return None


def _of_head(head: Head, measured: Measured, thresholds: Thresholds) -> Verdict | None:
    # Without bound, the sum soon overflows.
    if head.loss == "nll" and not math.isnan(head.row_sum) and abs(head.row_sum - 1) > thresholds["min_sum_error"]:
        variant = "probabilities" if "Softmax" in head.between else "nll"
        return Verdict("error", 1, {"sum": head.row_sum}, variant=variant, remedies=("log-softmax",))
    if head.loss == "cross-entropy" and len(head.shape) == 2 and head.shape[1] == 1:
        return Verdict("error", 1, {}, variant="one-output", remedies=("one-logit",))
    if head.negated and len(measured.optimisers) == 1 and measured.losses_per_step < 1.5:
        return Verdict("error", 1, {"loss": measured.loss.last}, variant="sign", remedies=("minimise",))
    if head.bare and len(measured.optimisers) == 1 and not measured.optimisers[0].maximizes:
        return Verdict("error", 1, {"loss": measured.loss.last}, variant="likelihood", remedies=("add-minus",))
    if head.loss in SQUARED_LOSSES:
        return _of_squares(head, measured, thresholds)
    return None


def _of_squares(head: Head, measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if head.one_hot:
        # A proper score all the same (Brier 1950), and for long the only one: it learns, only slower.
        return Verdict("advice", 1, {"classes": head.shape[-1]}, variant="one-hot", remedies=("cross-entropy",))
    counts = measured.labels.counts
    values = sorted(counts)
    if not head.labelled:
        return None
    alone = len(head.shape) == 1 or (len(head.shape) == 2 and head.shape[1] == 1)
    if not (alone and head.target_integer and measured.labels.kind == "numbers" and len(values) > 1):
        return None
    # Classes counted from 0, each about as frequent as the other: no quantity of nature looks so.
    total = sum(counts.values())
    entropy = -sum(count / total * math.log(count / total) for count in counts.values())
    numbered = values == list(range(len(values))) and len(values) <= thresholds["max_classes"]
    if (
        numbered
        and len(values) > 2
        and total >= 50
        and entropy > thresholds["min_entropy_ratio"] * math.log(len(values))
    ):
        return Verdict("warning", 1, {"classes": len(values)}, variant="numbers", remedies=("cross-entropy",))
    if values == [0, 1] and measured.losses_per_step < 1.5 and total >= 50:
        return Verdict("advice", 1, {}, variant="binary", remedies=("binary-cross-entropy",))
    return None


RULE = Rule(
    "loss-mismatch",
    _judge,
    "Bishop 2006, Pattern Recognition and Machine Learning, section 5.2",
    severities=("error", "warning", "advice"),
    needs=("loss",),
    fault_in="loss",
    remedies=(
        "with-logits", "log-softmax", "one-logit", "minimise", "cross-entropy", "binary-cross-entropy", "add-penalty",
        "overlap-of-shares", "add-minus", "create-graph", "add-divergence", "turn-policy", "subtract-entropy",
        "turn-actor",
    ),
    # Log-probabilities sum to 1 within rounding. Frequencies of classes within a tenth of the even entropy.
    thresholds={
        "min_sum_error": Threshold(0.1, "number", "sum"),
        "min_passes": Threshold(2, "backward-passes"),
        "max_classes": Threshold(20, "classes", "classes"),
        "min_entropy_ratio": Threshold(0.9, "times", "even"),
    },
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "lr-too-high", "lr-too-low", "initial-loss", "nonfinite",
        "exploding-gradient", "output-activation", "overfitting", "too-few-epochs", "dead-relu", "saturated",
        "weight-decay-too-high", "vanishing-gradient", "no-update", "loss-below-floor",
    ),
)  # fmt: skip
