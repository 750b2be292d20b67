"""frozen-norm-drifts: a part is frozen, and the running statistics of its batch normalisations go on moving."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if not measured.drifting:
        return None
    return Verdict("warning", 1, {"norms": len(measured.drifting)}, measured.drifting, remedies=("eval-frozen",))


RULE = Rule(
    "frozen-norm-drifts",
    _judge,
    "Keras, Transfer learning and fine-tuning: the BatchNormalization layer",
    severities=("warning",),
    needs=("steps",),
    fault_in="module",
    remedies=("eval-frozen",),
    symptoms=("overfitting", "train-mode-in-evaluation"),
)
