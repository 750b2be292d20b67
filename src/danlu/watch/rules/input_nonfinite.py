"""input-nonfinite: NaN or infinity among the numbers that enter the net."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.inputs
    if facts.nonfinite_since is None:
        return None
    numbers = {"share": facts.nonfinite_share, "step": facts.nonfinite_since}
    return Verdict("error", facts.nonfinite_since, numbers, remedies=("clean-inputs",))


RULE = Rule(
    "input-nonfinite",
    _judge,
    "IEEE 754-2019, section 6.2",
    severities=("error",),
    needs=("inputs",),
    fault_in="loader",
    remedies=("clean-inputs",),
    symptoms=(
        "nonfinite", "lr-too-high", "exploding-gradient", "bad-init", "dead-relu", "input-scale", "input-constant",
        "no-update", "underfitting", "plateau",
    ),
)  # fmt: skip
