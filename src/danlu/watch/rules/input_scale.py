"""input-scale: the numbers that enter the net are far from the size that its initial weights are made for."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.data_facts import Inputs
from danlu.watch.measured import Measured
from danlu.watch.reading import first_kinds


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.inputs
    mean, std = facts.mean.median(), facts.std.median()
    size = math.hypot(mean, std)
    if not facts.floating or not math.isfinite(size) or std == 0:
        return None
    kinds = first_kinds(measured)
    if kinds[:1] == ["norm"] or facts.entering < thresholds["max_kept_share"] * size:
        return None  # the net scales its input itself
    # A layer that is normalised right after does not care how large its input is.
    severity = "advice" if kinds[1:2] == ["norm"] else "warning"
    numbers = {"size": size, "mean": mean, "std": std, "low": facts.low.median(), "high": facts.high.median()}
    remedies = ({"data.standardise": True}, "standardise")
    if size > thresholds["min_input_rms"]:
        return Verdict(severity, 1, numbers, remedies=remedies)
    if _is_uneven(facts, thresholds):
        numbers |= {"widest": facts.widest.median(), "unevenness": facts.unevenness.median()}
        return Verdict(severity, 1, numbers, variant="uneven", remedies=remedies)
    if size < thresholds["max_input_rms"] and facts.shape and math.prod(facts.shape[1:]) < 64:
        return Verdict("advice", 1, numbers, variant="small", remedies=remedies)
    return None


def _is_uneven(facts: Inputs, thresholds: Thresholds) -> bool:
    return (
        facts.widest.median() > thresholds["min_feature_std"]
        and facts.unevenness.median() > thresholds["min_feature_std_ratio"]
    )


RULE = Rule(
    "input-scale",
    _judge,
    "LeCun et al. 1998, Efficient BackProp, section 4.3",
    severities=("warning", "advice"),
    needs=("inputs",),
    fault_in="loader",
    remedies=({"data.standardise": True}, "standardise"),
    # The curvature along a first-layer weight grows with the square of its input: at 20 it is 400 times what the usual
    # rates are chosen for. Pixels of 0-16 (7.8) still train; pixels of 0-255 (85 and more) do not train well.
    # A column a hundred times as wide as the median one hides all others from the gradient.
    thresholds={
        "max_kept_share": Threshold(0.1, "share"),
        "min_input_rms": Threshold(20.0, "number", "size"),
        "max_input_rms": Threshold(0.02, "number", "least"),
        "min_feature_std": Threshold(10.0, "number", "widest"),
        "min_feature_std_ratio": Threshold(100.0, "times", "unevenness"),
    },
    symptoms=(
        "output-collapsed", "lr-too-high", "saturated", "dead-relu", "initial-loss", "exploding-gradient", "nonfinite",
        "plateau", "vanishing-gradient", "underfitting", "bad-init", "too-few-epochs", "lr-too-low", "clip-too-tight",
        "overfitting",
    ),
)  # fmt: skip
