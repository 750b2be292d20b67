"""softmax-axis: the weights of an attention sum to 1 over another axis than the one they are summed over."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.net.wrong_softmax is None:
        return None
    dimension, shape = measured.net.wrong_softmax
    numbers = {"dimension": dimension, "shape": "×".join(map(str, shape)), "last": len(shape) - 1}
    return Verdict("error", 1, numbers, remedies=("softmax-over-keys",))


RULE = Rule(
    "softmax-axis",
    _judge,
    "Vaswani et al. 2017, Attention Is All You Need, section 3.2.1",
    severities=("error",),
    needs=("graph",),
    fault_in="module",
    told_by=("softmax",),
    remedies=("softmax-over-keys",),
    reads="start",
    symptoms=(
        "future-leak", "samples-mixed", "plateau", "underfitting", "lr-too-low", "too-few-epochs", "padding-seen",
    ),
)  # fmt: skip
