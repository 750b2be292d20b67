"""class-weights-inverted: the loss gives the frequent classes the large weights."""

import itertools

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.labels
    if facts.tags:
        return _of_tags(facts, thresholds)
    counts = {label: count for label, count in facts.counts.items() if count}
    total = sum(counts.values())
    if facts.dense or len(counts) < 2 or total < thresholds["min_labels"] or facts.excess > 4:
        return None
    if max(counts.values()) < thresholds["min_count_ratio"] * min(counts.values()):
        return None
    # Weights that no loss of torch's was given show in the gradient; a return weighs actions, not classes.
    pulls = {} if measured.weighs_samples or facts.weights else facts.pulls
    weights = _by_class(facts) or pulls
    if not counts.keys() <= weights.keys():
        return None
    most, least = max(counts, key=lambda one: counts[one]), min(counts, key=lambda one: counts[one])
    if not weights[most] > thresholds["min_weight_ratio"] * max(weights[least], 0.0) or not _grow(counts, weights):
        return None
    numbers = {
        "most": most, "least": least, "share": counts[most] / total, "rare": counts[least] / total,
        "heavy": weights[most], "light": weights[least],
    }  # fmt: skip
    if weights is pulls:
        ratio = weights[most] / weights[least] if weights[least] > 0 else float("inf")
        numbers = {"most": most, "least": least, "share": counts[most] / total, "rare": counts[least] / total}
        return Verdict("warning", 1, numbers | {"ratio": ratio}, variant="pull", remedies=("weights-by-counts",))
    return Verdict("warning", 1, numbers, remedies=("weights-by-counts",))


def _of_tags(facts: LabelFacts, thresholds: Thresholds) -> Verdict | None:
    """Of several yes or no, each with a weight of its own for yes: all rare ones count even less."""
    if len(facts.weights) != len(facts.tags):
        return None
    rare = [
        (share, weight) for share, weight in zip(facts.tags, facts.weights, strict=True)
        if 0 < share < 1 / (1 + thresholds["min_count_ratio"])
    ]  # fmt: skip
    if len(rare) < 2 or any(weight * thresholds["min_weight_ratio"] > 1 for _, weight in rare):
        return None
    share, weight = min(rare)
    return Verdict("warning", 1, {"rare": share, "weight": weight}, variant="tags", remedies=("weights-by-counts",))


def _by_class(facts: LabelFacts) -> dict[int, float]:
    if facts.kind == "binary" and len(facts.weights) == 1:
        return {0: 1.0, 1: facts.weights[0]}
    return dict(enumerate(facts.weights)) if len(facts.weights) == facts.outputs else {}


def _grow(counts: dict[int, int], weights: dict[int, float]) -> bool:
    """Whether of two classes the more frequent one mostly has the larger weight."""
    apart = [(counts[a] - counts[b]) * (weights[a] - weights[b]) for a, b in itertools.combinations(counts, 2)]
    return sum(one > 0 for one in apart) > 2 * sum(one < 0 for one in apart)


RULE = Rule(
    "class-weights-inverted",
    _judge,
    "King and Zeng 2001, Logistic Regression in Rare Events Data, section 4.2",
    severities=("warning",),
    needs=("labels",),
    fault_in="loss weights",
    variants_in={"pull": "whole loss"},
    remedies=("weights-by-counts",),
    # Weights that undo the counts fall as these grow. Equal counts, but for chance, say nothing.
    thresholds={
        "min_labels": Threshold(200, "labels"),
        "min_count_ratio": Threshold(2.0, "times"),
        "min_weight_ratio": Threshold(1.5, "times"),
    },
    symptoms=("label-imbalance", "underfitting", "plateau", "too-few-epochs", "overfitting"),
)
