"""label-range: told of targets that the loss, or the net's outputs, cannot stand for."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.label_range import RULE
from measurements import check_threshold, head, told, training, verdict


def labelled(counts: dict[int, int], outputs: int) -> Measured:
    measured = training(lambda step: 2.0, 100, classes=outputs)
    measured.labels.counts, measured.labels.seen = counts, sum(counts.values())
    measured.labels.low, measured.labels.high = min(counts), max(counts)
    return measured


def regressed(*, largest: float) -> Measured:
    measured = Measured(step=10)
    measured.labels.kind, measured.labels.seen = "numbers", 100
    measured.labels.low, measured.labels.high = -largest, 1.0
    return measured


def counted_from_one(*, seen: int) -> Measured:
    measured = labelled(dict.fromkeys(range(1, 6), 20), 6)
    measured.labels.seen = seen
    return measured


def test_each_threshold_decides() -> None:
    assert check_threshold(RULE, counted_from_one, "min_labels_per_class", {"seen": 120}, {"seen": 121}) is None
    assert check_threshold(RULE, regressed, "min_target", {"largest": 99.0}, {"largest": 101.0}) is None
    at_ease = check_threshold(RULE, regressed, "min_target_warning", {"largest": 990.0}, {"largest": 1010.0})
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_a_class_without_an_output_is_an_error_since_its_step() -> None:
    measured = labelled({0: 50, 3: 50}, 3)
    measured.labels.out_of_range = 4
    found = told(RULE, measured)
    assert (found.severity, found.variant, found.since) == ("error", "classes", 4)
    assert (found.numbers["high"], found.numbers["outputs"], found.numbers["last"]) == (3, 3, 2)


def test_unscaled_targets_are_told_with_their_range() -> None:
    found = told(RULE, regressed(largest=5000.0))
    assert (found.severity, found.variant, found.numbers["low"]) == ("warning", "unscaled", -5000.0)


def test_classes_counted_from_one_are_told() -> None:
    assert told(RULE, labelled(dict.fromkeys(range(1, 6), 50), 6)).variant == "shifted"


def test_a_word_that_never_occurs_is_no_fault_of_the_labels() -> None:
    every_word_but_the_unknown = labelled(dict.fromkeys(range(1, 6), 50), 6)
    every_word_but_the_unknown.labels.dense = True
    assert verdict(RULE, every_word_but_the_unknown) is None
    next_word = labelled(dict.fromkeys(range(1, 6), 50), 6)
    next_word.inputs.floating = False
    next_word.inputs.high.add(1, 5.0)
    assert verdict(RULE, next_word) is None
    next_word.inputs.high.values[:] = [3.0]  # tokens of another kind than the answers
    assert verdict(RULE, next_word) is not None


def test_several_classes_that_never_occur_say_nothing_about_the_first() -> None:
    assert verdict(RULE, labelled({2: 90, 5: 90, 9: 90}, 10)) is None


@pytest.mark.parametrize(("labelled_there", "is_told"), [(False, False), (True, True)])
def test_the_targets_of_another_loss_are_not_those_of_this_one(labelled_there: bool, is_told: bool) -> None:
    measured = labelled({0: 100, 1: 100}, 2)
    measured.labels.kind = "binary"
    kinds = head(value=2.3, shape=(32, 10), labelled=labelled_there, target_high=9.0)
    measured.heads = [head("bce", value=0.7, shape=(32, 1)), kinds]
    assert (verdict(RULE, measured) is not None) is is_told
