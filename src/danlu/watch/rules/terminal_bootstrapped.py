"""terminal-bootstrapped: the value of what comes after the end of an episode is added to the last reward."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured

_ALL = 0.95  # of the samples: but for what is so by chance, or by rounding


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if not measured.step:
        return None
    found = measured.rewarded
    known = found.ends >= thresholds["min_ends"]
    line = measured.code.get("bootstrap") or measured.code.get("running")
    numbers = {"ends": found.ends, "cleared": found.cleared, "rewarded": found.rewarded}
    if found.rewarded >= thresholds["min_ends"] and found.cleared >= _ALL * found.rewarded:
        return Verdict("error", 1, numbers, variant="cleared", remedies=("mask-next-value",), line=line)
    masked = found.exact > 0
    if known and not masked and found.plain >= _ALL * found.others:
        return Verdict("error", 1, numbers, variant="inverted", remedies=("mask-terminal",), line=line)
    if known and not masked and line is not None:
        return Verdict("error", 1, numbers, variant="ends", remedies=("mask-terminal",), line=line)
    line = measured.code.get("terminal") if not known or not masked else None
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
    remedies=("mask-terminal", "mask-next-value", "mask-by-terminated"),
    thresholds={"min_ends": Threshold(8, "samples")},
    symptoms=("exploding-gradient", "lr-too-high", "plateau", "underfitting", "unshuffled", "lr-too-low"),
)
