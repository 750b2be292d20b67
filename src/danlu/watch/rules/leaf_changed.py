"""leaf-changed: a parameter is changed in place where autograd records it, which torch refuses."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured

_WORDS = "leaf Variable that requires grad is being used in an in-place operation"


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if _WORDS not in measured.crash:
        return None
    return Verdict("error", max(1, measured.step), {}, remedies=("no-grad",), line=measured.crashed_at)


RULE = Rule(
    "leaf-changed",
    _judge,
    "PyTorch, Autograd mechanics: in-place operations",
    severities=("error",),
    needs=("steps",),
    fault_in="step",
    remedies=("no-grad",),
)
