"""pairs-broken: targets are put into an order of their own, so that no input keeps the one that belongs to it."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.drawing.apart and measured.carried.partners >= thresholds["min_steps"]:
        return Verdict("error", 1, {}, variant="loaders", remedies=("one-loader",))
    for kind, remedy in (("by-place", "index-kept"), ("late", "store-before-step"), ("from-start", "sum-backwards")):
        if kind in measured.code and measured.step:
            return Verdict("error", 1, {}, variant=kind, remedies=(remedy,), line=measured.code[kind])
    views = measured.code.get("views")
    if views is not None and measured.carried.partners >= thresholds["min_steps"]:
        return Verdict("error", 1, {}, remedies=("same-order",), line=views)
    line = measured.code.get("pairs")
    if line is None or not measured.step:
        return None
    return Verdict("error", 1, {}, remedies=("same-order",), line=line)


RULE = Rule(
    "pairs-broken",
    _judge,
    "Zhang et al. 2017, Understanding deep learning requires rethinking generalization, arXiv:1611.03530",
    severities=("error",),
    needs=("code",),
    fault_in="loader",
    remedies=("same-order", "one-loader", "index-kept", "store-before-step", "sum-backwards"),
    thresholds={"min_steps": Threshold(3, "steps")},
    symptoms=("overfitting", "underfitting", "plateau", "lr-too-low", "too-few-epochs", "output-collapsed"),
)
