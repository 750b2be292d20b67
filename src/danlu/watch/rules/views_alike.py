"""views-alike: the two views of a sample that are to be drawn together are the same, or a view is its own partner."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    alike, own = measured.carried.alike, measured.carried.own
    if own >= thresholds["min_steps"]:
        return Verdict("error", 1, {"times": own}, variant="own", remedies=("mask-diagonal",))
    if alike < thresholds["min_steps"] or len(measured.optimisers) > 1 or measured.labels.kind == "numbers":
        return None
    if measured.weighs_samples:  # a policy that is asked twice
        return None
    return Verdict("error", 1, {"times": alike}, remedies=("two-views",))


RULE = Rule(
    "views-alike",
    _judge,
    "Chen et al. 2020, A Simple Framework for Contrastive Learning, arXiv:2002.05709, section 3",
    severities=("error",),
    needs=("steps",),
    fault_in="forward",
    variants_in={"own": "loss"},
    remedies=("two-views", "mask-diagonal"),
    thresholds={"min_steps": Threshold(3, "steps")},
    reads="start",
    symptoms=("output-collapsed", "plateau", "overfitting", "too-few-epochs", "train-test-overlap"),
)
