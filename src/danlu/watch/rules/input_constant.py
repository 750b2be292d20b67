"""input-constant: all samples of a batch are the same, or many of them are blank."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    cut = next((one for one in measured.interventions.values() if one.ignores), None)
    if cut is not None and measured.net.stuck:  # it differs by sample, and always asks for the same row
        numbers = {"names": ", ".join(sorted(cut.ignores)), "layer": measured.net.stuck[0]}
        return Verdict("error", 1, numbers, measured.net.stuck, variant="index", remedies=("scale-index",))
    facts = measured.inputs
    if len(facts.distinct) < thresholds["min_batches"] or facts.batch.median() < 4:
        return None
    distinct, blank = facts.distinct.median(), facts.blank.median()
    batch = int(facts.batch.median())
    # The first sample of a batch never differs from itself.
    if distinct * batch <= thresholds["max_distinct_share"] * batch:
        return Verdict("error", facts.distinct.steps[0], {"batch": batch}, remedies=("look-at-batch",))
    if blank >= thresholds["min_blank_share"]:
        severity = "error" if blank > 0.9 else "warning"
        return Verdict(severity, 1, {"share": blank, "batch": batch}, variant="blank", remedies=("look-at-batch",))
    return None


RULE = Rule(
    "input-constant",
    _judge,
    "Karpathy 2019, A Recipe for Training Neural Networks",
    severities=("error", "warning"),
    needs=("inputs",),
    fault_in="loader",
    variants_in={"index": "module"},
    told_by=("long", "int", "floor"),
    remedies=("look-at-batch", "scale-index"),
    # Two per cent are chance in data of few values; three batches, so that one strange batch says nothing. A third of
    # all pictures without a single edge is no natural data set.
    thresholds={
        "min_batches": Threshold(3, "batches", "batches"),
        "max_distinct_share": Threshold(0.02, "share", "others"),
        "min_blank_share": Threshold(0.3, "share", "blank"),
    },
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "lr-too-low", "dead-relu", "vanishing-gradient",
        "too-few-epochs", "input-scale", "input-twice-scaled", "lr-too-high", "unshuffled",
    ),
)  # fmt: skip
