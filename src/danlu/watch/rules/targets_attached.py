"""targets-attached: the target of a value is computed by the net itself, and gets a gradient too."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    line = measured.code.get("bootstrap")
    if line is None or measured.attached < thresholds["min_steps"]:
        return None
    return Verdict("error", 1, {}, remedies=("detach-target",), line=line)


RULE = Rule(
    "targets-attached",
    _judge,
    "Sutton and Barto 2018, Reinforcement Learning: An Introduction, section 9.3; Baird 1995, Residual Algorithms",
    severities=("error",),
    needs=("code",),
    fault_in="loss",
    remedies=("detach-target",),
    # Of the first three steps: where both sides of a squared error follow from the same parameters, they do in each.
    thresholds={"min_steps": Threshold(2, "steps")},
    reads="start",
    symptoms=("exploding-gradient", "lr-too-high", "plateau", "underfitting", "unshuffled", "lr-too-low"),
)
