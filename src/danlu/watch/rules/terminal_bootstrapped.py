"""terminal-bootstrapped: the value of what comes after the end of an episode is added to the last reward."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if not measured.step:
        return None
    line = measured.code.get("terminal")
    if line is not None:
        return Verdict("error", 1, {}, remedies=("mask-terminal",), line=line)
    line = measured.code.get("by-time")
    if line is not None and "bootstrap" in measured.code:
        return Verdict("error", 1, {}, variant="time", remedies=("mask-by-terminated",), line=line)
    return None


RULE = Rule(
    "terminal-bootstrapped",
    _judge,
    "Mnih et al. 2015, Human-level control through deep reinforcement learning, doi:10.1038/nature14236, algorithm 1",
    severities=("error",),
    needs=("code",),
    fault_in="loss",
    remedies=("mask-terminal", "mask-by-terminated"),
    symptoms=("exploding-gradient", "lr-too-high", "plateau", "underfitting", "unshuffled", "lr-too-low"),
)
