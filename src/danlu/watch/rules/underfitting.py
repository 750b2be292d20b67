"""underfitting: the loss has come to rest near what guessing would give."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import chance_loss, is_flat, spread_of_targets


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.loss.count < thresholds["steps"] or len(measured.optimisers) > 1 or measured.nonfinite_at is not None:
        return None
    guess = chance_loss(measured)
    guess = spread_of_targets(measured) if not math.isfinite(guess) else guess
    end = measured.loss.end(0.1)
    if not guess > 0 or measured.labels.dense or not is_flat(measured, thresholds["flat"]):
        return None
    share = end / guess
    if not thresholds["share"] < share < thresholds["above"]:
        return None
    severity = "warning" if share > thresholds["none"] else "advice"
    numbers = {"loss": end, "guess": guess, "share": share}
    return Verdict(severity, measured.step, numbers, remedies=("larger-net", "higher-rate", "look-at-labels"))


RULE = Rule(
    "underfitting",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 5.2: capacity, underfitting and overfitting",
    # Noisy tables end at 0.75 to 0.85 of the entropy of their labels, and are as good as they get; above 0.97, flat, the
    # net has learnt the frequencies of the classes and nothing else.
    thresholds={"steps": 100, "flat": 0.02, "share": 0.85, "none": 0.97, "above": 1.5},
)
