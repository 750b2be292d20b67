"""loss-below-floor: a loss is negative that by its formula never is."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    low = measured.low_loss
    if low is None:
        return None
    numbers = {"loss": low.loss, "value": low.value, "low": low.low, "high": low.high}
    if low.weighted and low.low >= 0 and low.high <= 1:
        return Verdict("error", low.step, numbers, variant="weights", remedies=("weights-above-0",), line=low.line)
    return Verdict("error", low.step, numbers, remedies=("targets-are-probabilities",), line=low.line)


RULE = Rule(
    "loss-below-floor",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 3.13",
    severities=("error",),
    needs=("optimizer",),
    fault_in="loss",
    remedies=("targets-are-probabilities", "weights-above-0"),
    symptoms=(
        "exploding-gradient", "nonfinite", "lr-too-high", "saturated", "too-few-epochs", "plateau", "underfitting",
        "overfitting", "dead-relu", "output-collapsed",
    ),
)  # fmt: skip
