"""class-ignored: the loss leaves out a class that the samples have."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.labels
    total = sum(facts.counts.values()) + facts.left_out
    if facts.ignored is None or facts.kind != "classes" or total < thresholds["min_labels"]:
        return None
    if facts.dense:  # of many labels a sample, as in a text or a picture, one may well be padding or background
        share = max((one.gaps for one in measured.interventions.values() if one.gaps >= 0), default=0.0)
        if share < thresholds["min_class_share"]:
            return None
        numbers = {"label": facts.ignored, "share": share}
        return Verdict("warning", 1, numbers, variant="between", remedies=("ignore-none",))
    share = (facts.counts.get(facts.ignored, 0) + facts.left_out) / total
    if not 0 <= facts.ignored < facts.outputs or share < thresholds["min_class_share"]:
        return None
    numbers = {"label": facts.ignored, "share": share}
    return Verdict("warning", 1, numbers, remedies=("ignore-none",))


RULE = Rule(
    "class-ignored",
    _judge,
    "PyTorch, torch.nn.CrossEntropyLoss: ignore_index",
    severities=("warning",),
    needs=("labels",),
    fault_in="loss object",
    remedies=("ignore-none",),
    thresholds={"min_labels": Threshold(100, "labels"), "min_class_share": Threshold(0.01, "share")},
    symptoms=("overfitting", "label-imbalance", "too-few-epochs"),
)
