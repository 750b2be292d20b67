"""frozen-norm-drifts: a part is frozen, and the running statistics of its batch normalisations go on moving."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    moved = {name: far for name, far in measured.drifting.items() if far >= thresholds["min_shift"]}
    if not moved:
        return None
    numbers = {"norms": len(moved), "shift": max(moved.values())}
    return Verdict("warning", 1, numbers, tuple(moved), remedies=("eval-frozen",))


RULE = Rule(
    "frozen-norm-drifts",
    _judge,
    "Keras, Transfer learning and fine-tuning: the BatchNormalization layer",
    severities=("warning",),
    needs=("steps",),
    fault_in="train",
    remedies=("eval-frozen",),
    # Where the new data are like the old ones the statistics stay where they are, and it does no harm.
    thresholds={"min_shift": Threshold(0.3, "standard-deviations")},
    symptoms=("overfitting", "train-mode-in-evaluation"),
)
