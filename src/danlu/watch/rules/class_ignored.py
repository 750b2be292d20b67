"""class-ignored: the loss leaves out a class that the samples have."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.labels
    total = sum(facts.counts.values()) + facts.left_out
    weightless = _weightless(facts, thresholds)
    if weightless is not None:
        return weightless
    if facts.ignored is None or facts.kind != "classes" or total < thresholds["min_labels"]:
        return None
    if facts.dense:  # of many labels a sample, as in a text or a picture, one may well be padding or background
        if len(measured.inputs.shape) >= 4:
            return _of_pictures(facts, total, thresholds)
        share = max((one.left_out for one in measured.interventions.values() if one.left_out >= 0), default=0.0)
        if share >= thresholds["min_tags_share"] and 0 <= facts.ignored < facts.outputs:
            numbers = {"label": facts.ignored, "share": share}
            return Verdict("warning", 1, numbers, variant="tags", remedies=("ignore-none",))
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


def _weightless(facts: LabelFacts, thresholds: Thresholds) -> Verdict | None:
    """A class that samples have, and whose weight in the loss is 0; of many labels a sample it may be padding."""
    total = sum(facts.counts.values())
    known = facts.kind == "classes" and not facts.dense and len(facts.weights) == facts.outputs
    if not known or total < thresholds["min_labels"]:
        return None
    shares = {label: facts.counts.get(label, 0) / total for label, weight in enumerate(facts.weights) if weight == 0}
    label = max(shares, key=lambda one: shares[one], default=0)
    if shares.get(label, 0.0) < thresholds["min_class_share"]:
        return None
    numbers = {"label": label, "share": shares[label]}
    return Verdict("warning", 1, numbers, variant="weight", remedies=("weights-by-counts",))


def _of_pictures(facts: LabelFacts, total: int, thresholds: Thresholds) -> Verdict | None:
    """A class of pixels that the loss leaves out, though the net has an output for it; it may mark the unlabelled."""
    share = (facts.counts.get(facts.ignored or 0, 0) + facts.left_out) / total
    if facts.ignored is None or not 0 <= facts.ignored < facts.outputs or share < thresholds["min_pixel_share"]:
        return None
    numbers = {"label": facts.ignored, "share": share}
    return Verdict("advice", 1, numbers, variant="pixels", remedies=("ignore-none",))


RULE = Rule(
    "class-ignored",
    _judge,
    "PyTorch, torch.nn.CrossEntropyLoss: ignore_index",
    severities=("warning", "advice"),
    needs=("labels",),
    fault_in="loss weights",
    remedies=("ignore-none", "weights-by-counts"),
    # Of the pieces of words that follow a first one, which some give no tag, there are fewer.
    thresholds={
        "min_labels": Threshold(100, "labels"),
        "min_class_share": Threshold(0.01, "share"),
        "min_pixel_share": Threshold(0.05, "share"),
        "min_tags_share": Threshold(0.4, "share"),
    },
    symptoms=("overfitting", "label-imbalance", "too-few-epochs"),
)
