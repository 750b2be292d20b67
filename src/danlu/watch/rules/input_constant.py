"""input-constant: all samples of a batch are the same, or many of them are blank."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.inputs
    if len(facts.distinct) < thresholds["batches"] or facts.batch.median() < 4:
        return None
    distinct, blank = facts.distinct.median(), facts.blank.median()
    batch = int(facts.batch.median())
    # The first sample of a batch never differs from itself.
    if distinct * batch <= thresholds["others"] * batch:
        return Verdict("error", facts.distinct.steps[0], {"batch": batch}, remedies=("look-at-batch",))
    if blank >= thresholds["blank"]:
        severity = "error" if blank > 0.9 else "warning"
        return Verdict(severity, 1, {"share": blank, "batch": batch}, variant="blank", remedies=("look-at-batch",))
    return None


RULE = Rule(
    "input-constant",
    _judge,
    "a net answers the same to the same input; what it can learn then are the shares of the classes",
    # Two per cent are chance in data of few values; three batches, so that one strange batch says nothing. A third of
    # all pictures without a single edge is no natural data set.
    thresholds={"batches": 3, "others": 0.02, "blank": 0.3},
    symptoms=("plateau", "underfitting", "lr-too-low", "dead-relu", "vanishing-gradient", "too-few-epochs",
              "input-scale", "input-twice-scaled", "lr-too-high", "unshuffled"),
)  # fmt: skip
