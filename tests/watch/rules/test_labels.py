"""label-range and label-imbalance."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules import label_imbalance, label_range
from measurements import head, training, verdict


def labelled(counts: dict[int, int], outputs: int) -> Measured:
    measured = training(lambda step: 2.0, 100, classes=outputs)
    measured.labels.counts, measured.labels.seen = counts, sum(counts.values())
    measured.labels.low, measured.labels.high = min(counts), max(counts)
    return measured


def test_classes_counted_from_one_are_told() -> None:
    found = verdict(label_range.RULE, labelled(dict.fromkeys(range(1, 6), 50), 6))
    assert found is not None
    assert found.variant == "shifted"


def test_a_word_that_never_occurs_is_no_fault_of_the_labels() -> None:
    every_word_but_the_unknown = labelled(dict.fromkeys(range(1, 6), 50), 6)
    every_word_but_the_unknown.labels.dense = True
    assert verdict(label_range.RULE, every_word_but_the_unknown) is None
    next_word = labelled(dict.fromkeys(range(1, 6), 50), 6)
    next_word.inputs.floating = False
    next_word.inputs.high.add(1, 5.0)
    assert verdict(label_range.RULE, next_word) is None
    next_word.inputs.high.values[:] = [3.0]  # tokens of another kind than the answers
    assert verdict(label_range.RULE, next_word) is not None


def test_several_classes_that_never_occur_say_nothing_about_the_first() -> None:
    assert verdict(label_range.RULE, labelled({2: 90, 5: 90, 9: 90}, 10)) is None


def test_the_targets_of_another_loss_are_not_those_of_this_one() -> None:
    measured = labelled({0: 100, 1: 100}, 2)
    measured.labels.kind = "binary"
    kinds = head(value=2.3, shape=(32, 10), labelled=False)
    measured.heads = [head("bce", value=0.7, shape=(32, 1)), kinds]
    object.__setattr__(kinds, "target_high", 9.0)
    assert verdict(label_range.RULE, measured) is None
    object.__setattr__(kinds, "labelled", True)
    assert verdict(label_range.RULE, measured) is not None


@pytest.mark.parametrize(("rare", "told"), [(5, True), (20, True), (200, False)])
def test_few_of_a_class_are_told_with_what_can_be_done_about_it(rare: int, told: bool) -> None:
    found = verdict(label_imbalance.RULE, labelled({0: 980, 1: rare}, 2))
    assert (found is not None) is told
    if found:
        assert found.remedies == ("judge-by-recall", "more-rare-samples")
