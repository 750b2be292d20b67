"""label-imbalance: few classes hold nearly all samples, and the loss does not weigh them, or in vain."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured

_REMEDIES = ({"loss.class_weights": "balanced"}, "weights-by-counts", "judge-by-recall", "more-rare-samples")


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.labels
    total = sum(facts.counts.values())
    if facts.kind not in ("classes", "binary") or facts.dense or total < thresholds["min_labels"]:
        return None
    # Of shuffled data only: of sorted data the first batches say nothing about the whole.
    if len(facts.counts) < 2 or facts.excess > 4 or facts.outputs > thresholds["max_classes"]:
        return None
    label, most = max(facts.counts.items(), key=lambda entry: entry[1])
    share, fair = most / total, 1 / len(facts.counts)
    if share < thresholds["min_class_share"] and share < 1 - (1 - fair) * thresholds["max_rest_ratio"]:
        return None
    recall = _recall_of_others(facts, label)
    collapsed = measured.step >= thresholds["min_steps"] and recall < thresholds["max_recall"]
    others = sum(count for other, count in facts.actual.items() if other != label)
    # Who weighs the classes knows of them; that this does not help is said on more than a few answers only.
    if facts.weighted and not (collapsed and others >= thresholds["min_answers"]):
        return None
    numbers = {"label": label, "share": share, "recall": recall, "classes": len(facts.counts)}
    variant = ("weighted" if facts.weighted else "collapsed") if collapsed else ""
    return Verdict(
        "warning" if collapsed else "advice",
        1,
        numbers,
        variant=variant,
        remedies=("weights-by-counts",) if facts.weighted else _REMEDIES,
    )


def _recall_of_others(facts: LabelFacts, label: int) -> float:
    """The share of the other classes' samples that was answered rightly of late; 1 where none came by."""
    actual = sum(count for other, count in facts.actual.items() if other != label)
    hits = sum(count for other, count in facts.hits.items() if other != label)
    return hits / actual if actual else 1.0


RULE = Rule(
    "label-imbalance",
    _judge,
    "He and Garcia 2009, Learning from Imbalanced Data, doi:10.1109/TKDE.2008.239",
    severities=("warning", "advice"),
    needs=("labels",),
    fault_in="loss weights",
    remedies=_REMEDIES,
    # Answering the largest class always is right in nine of ten cases from there on: accuracy tells nothing more.
    thresholds={
        "min_labels": Threshold(200, "labels", "labels"),
        "min_class_share": Threshold(0.9, "share", "share"),
        "max_rest_ratio": Threshold(0.12, "times", "rest"),
        "max_classes": Threshold(200, "classes", "classes"),
        "min_steps": Threshold(60, "steps", "steps"),
        "max_recall": Threshold(0.1, "share", "recall"),
        "min_answers": Threshold(8, "samples"),
    },
    symptoms=("plateau", "underfitting", "too-few-epochs", "overfitting"),
)
