"""temperature-mismatch: of teacher and student only one is softened by the temperature."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    cosines = measured.carried
    if cosines.cosines >= thresholds["min_steps"]:
        return Verdict("warning", 1, {"floor": cosines.floor}, variant="none", remedies=("divide-by-temperature",))
    line = measured.code.get("temperature")
    if line is None or not measured.step:
        return None
    return Verdict("warning", 1, {}, remedies=("same-temperature",), line=line)


RULE = Rule(
    "temperature-mismatch",
    _judge,
    "Hinton et al. 2015, Distilling the Knowledge in a Neural Network, arXiv:1503.02531, section 2",
    severities=("warning",),
    needs=("code",),
    fault_in="loss",
    remedies=("same-temperature", "divide-by-temperature"),
    thresholds={"min_steps": Threshold(5, "steps")},
    symptoms=("too-few-epochs", "plateau", "underfitting", "overfitting"),
)
