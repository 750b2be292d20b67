"""temperature-square: the softened loss of a distillation is added without the square of the temperature."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    line = measured.code.get("temperature-square")
    if line is None or not measured.step:
        return None
    return Verdict("warning", 1, {}, remedies=("temperature-square",), line=line)


RULE = Rule(
    "temperature-square",
    _judge,
    "Hinton et al. 2015, Distilling the Knowledge in a Neural Network, arXiv:1503.02531, section 2",
    severities=("warning",),
    needs=("code",),
    fault_in="loss",
    remedies=("temperature-square",),
    symptoms=("too-few-epochs", "plateau", "underfitting", "overfitting"),
)
