"""threshold-on-test: the threshold of a decision is chosen on the scores that it is judged by."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    tested, other = measured.code.get("threshold-test"), measured.code.get("threshold")
    line = tested or other
    if line is None or not measured.step:
        return None
    return Verdict("warning" if tested else "advice", 1, {}, remedies=("threshold-on-validation",), line=line)


RULE = Rule(
    "threshold-on-test",
    _judge,
    "Hastie et al. 2009, The Elements of Statistical Learning, section 7.10.2; Lipton et al. 2014, arXiv:1402.1892",
    severities=("warning", "advice"),
    needs=("code",),
    fault_in="evaluation",
    remedies=("threshold-on-validation",),
)
