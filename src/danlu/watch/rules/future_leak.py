"""future-leak: a net that is to tell the next place of a sequence is shown that place."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for trial in measured.interventions.values():
        # Where the targets are not the inputs of the places that follow, a net may look both ways.
        if trial.lag is not None and trial.lag > 0 and trial.later > thresholds["min_moved_share"]:
            numbers = {"places": trial.places, "share": trial.later}
            where = tuple(name for name in (trial.leaks or trial.name,) if name)
            if not trial.earlier > thresholds["min_moved_share"]:  # it reads from the end to the beginning
                return Verdict("error", 1, numbers, where, variant="reversed", remedies=("causal-mask",))
            return Verdict("error", 1, numbers, where, remedies=("causal-mask",))
    return None


RULE = Rule(
    "future-leak",
    _judge,
    "Vaswani et al. 2017, Attention Is All You Need, section 3.2.3",
    severities=("error",),
    needs=("tried",),
    fault_in="call",
    told_by=("masked_fill", "masked_fill_", "scaled_dot_product_attention", "softmax", "pad", "flip"),
    remedies=("causal-mask",),
    # A masked net answers with the same bits. Half of the places changed move what attention averages by a tenth and
    # more; a hundredth leaves room for rounding in convolutions over frequencies.
    thresholds={"min_moved_share": Threshold(0.01, "share")},
    reads="start",
    symptoms=("train-test-overlap", "overfitting", "lr-too-low", "too-few-epochs"),
)
