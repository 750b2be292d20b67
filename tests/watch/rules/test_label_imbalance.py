"""label-imbalance: told of one class that holds nearly all samples."""

from typing import Any

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.label_imbalance import RULE
from measurements import check_threshold, told, training, verdict


def labelled(counts: dict[int, int], outputs: int = 2) -> Measured:
    measured = training(lambda step: 2.0, 100, classes=outputs)
    measured.labels.counts, measured.labels.seen = counts, sum(counts.values())
    return measured


def lopsided(
    *, share: float = 0.95, classes: int = 2, total: int = 1000, outputs: int = 2, step: int = 100,
    recall: float | None = None,
) -> Measured:  # fmt: skip
    most = round(share * total)
    rest = dict.fromkeys(range(1, classes), (total - most) // (classes - 1))
    measured = labelled({0: total - sum(rest.values()), **rest}, outputs)
    measured.step = step
    if recall is not None:
        measured.labels.actual, measured.labels.hits = {0: 900, 1: 100}, {0: 900, 1: 100 * recall}
    return measured


TEN = {"classes": 10, "total": 9000}
THRESHOLDS = [
    ("min_labels", {"total": 199}, {"total": 200}),
    ("min_class_share", {"share": 0.89}, {"share": 0.91}),
    ("max_rest_ratio", {**TEN, "share": 0.884}, {**TEN, "share": 0.895}),
    ("max_classes", {"outputs": 201}, {"outputs": 200}),
]
SEVERITIES = [
    ("min_steps", {"step": 59, "recall": 0.0}, {"step": 60, "recall": 0.0}),
    ("max_recall", {"recall": 0.11}, {"recall": 0.09}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, lopsided, name, inside, beyond) is None


@pytest.mark.parametrize(("name", "inside", "beyond"), SEVERITIES)
def test_classes_that_are_given_up_are_a_warning(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    at_ease = check_threshold(RULE, lopsided, name, inside, beyond)
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_the_largest_class_is_told_with_its_share() -> None:
    found = told(RULE, lopsided(recall=0.05))
    assert (found.severity, found.variant) == ("warning", "collapsed")
    assert found.numbers == {"label": 0, "share": 0.95, "recall": pytest.approx(0.05), "classes": 2}


def weighted(*, answers: float = 100, **options: Any) -> Measured:
    measured = lopsided(**options)
    measured.labels.weighted = True
    if measured.labels.actual:
        measured.labels.actual[1], measured.labels.hits[1] = answers, measured.labels.hits[1] * answers / 100
    return measured


def test_weights_are_judged_on_more_than_a_few_answers() -> None:
    check_threshold(RULE, weighted, "min_answers", {"answers": 7.0, "recall": 0.0}, {"answers": 8.0, "recall": 0.0})


@pytest.mark.parametrize(
    ("recall", "step", "is_told"), [(None, 100, False), (0.5, 100, False), (0.05, 59, False), (0.05, 100, True)]
)
def test_weights_are_believed_until_the_recall_says_otherwise(recall: float | None, step: int, is_told: bool) -> None:
    measured = weighted(recall=recall, step=step)
    found = verdict(RULE, measured)
    assert (found is not None) is is_told
    if found:
        assert (found.severity, found.variant, found.remedies) == ("warning", "weighted", ("weights-by-counts",))


@pytest.mark.parametrize(("rare", "is_told"), [(5, True), (20, True), (200, False)])
def test_few_of_a_class_are_told_with_what_can_be_done_about_it(rare: int, is_told: bool) -> None:
    found = verdict(RULE, labelled({0: 980, 1: rare}, 2))
    assert (found is not None) is is_told
    if found:
        balanced, *advice = found.remedies
        assert balanced == {"loss.class_weights": "balanced"}
        assert advice == ["weights-by-counts", "judge-by-recall", "more-rare-samples"]
