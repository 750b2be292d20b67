"""class-weights-inverted: told of weights that grow with the counts."""

from typing import Any

import pytest

from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured
from danlu.watch.rules.class_weights_inverted import RULE
from measurements import check_threshold, told, verdict


def weighed(
    weights: tuple[float, ...] = (0.9, 0.1), counts: tuple[int, ...] = (900, 100), kind: str = "classes",
    excess: float = 1.0,
) -> Measured:  # fmt: skip
    facts = LabelFacts(kind, len(counts), dict(enumerate(counts)), weights=weights, weighted=True, excess=excess)
    return Measured(labels=facts)


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_labels", {"counts": (179, 20)}, {"counts": (180, 20)}),
        ("min_count_ratio", {"counts": (197, 100)}, {"counts": (203, 100)}),
        ("min_weight_ratio", {"weights": (1.49, 1.0)}, {"weights": (1.51, 1.0)}),
    ],
)
def test_each_threshold_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, weighed, name, inside, beyond) is None


def test_weights_that_are_the_frequencies_are_told() -> None:
    found = told(RULE, weighed((0.6, 0.3, 0.1), (600, 300, 100)))
    assert (found.severity, found.numbers["most"], found.numbers["least"]) == ("warning", 0, 2)


def test_a_weight_of_the_rare_positive_class_below_1_is_told() -> None:
    assert told(RULE, weighed((0.1,), kind="binary")).numbers["light"] == 0.1


@pytest.mark.parametrize(
    "given",
    [
        {"weights": (0.1, 0.9)}, {"weights": ()}, {"weights": (9.0,), "kind": "binary"}, {"excess": 5.0},
        {"weights": (0.9, 0.1, 0.1), "kind": "binary"}, {"weights": (0.9,)},
        {"weights": (2.0, 9.0, 9.0, 1.0), "counts": (900, 120, 110, 100)},
    ],
)  # fmt: skip
def test_weights_that_undo_the_counts_or_say_nothing_are_silent(given: dict[str, Any]) -> None:
    assert verdict(RULE, weighed(**given)) is None


def test_weights_of_both_classes_of_a_binary_loss_are_compared() -> None:
    assert told(RULE, weighed((0.9, 0.1), kind="binary")).numbers["light"] == 0.1
    assert verdict(RULE, weighed((0.1, 0.9), kind="binary")) is None


@pytest.mark.parametrize(
    ("tags", "weights", "is_told"),
    [
        ((0.02, 0.1, 0.6), (0.02, 0.11, 1.5), True),
        ((0.02, 0.1, 0.6), (49.0, 9.0, 0.7), False),
        ((0.02, 0.1, 0.6), (0.02, 1.0, 1.0), False),  # one of them may be meant so
        ((0.5, 0.4), (0.5, 0.5), False),
        ((0.02, 0.1), (0.1,), False),
    ],
)
def test_weights_of_several_yes_or_no(tags: tuple[float, ...], weights: tuple[float, ...], is_told: bool) -> None:
    found = verdict(RULE, Measured(labels=LabelFacts("binary", 2, tags=tags, weights=weights)))
    assert (found is not None) == is_told
    assert (
        found is None
        or told(RULE, Measured(labels=LabelFacts("binary", 2, tags=tags, weights=weights))).variant == "tags"
    )


@pytest.mark.parametrize(
    ("pulls", "weights", "returns", "is_told"),
    [
        ({0: 0.92, 1: 0.08}, (), False, True),  # a focal loss whose alpha is that of the other class
        ({0: 0.08, 1: 0.92}, (), False, False),
        ({0: 1.0, 1: 1.0}, (), False, False),
        ({0: 0.92}, (), False, False),  # of the rare one nothing was seen
        ({0: 0.92, 1: 0.08}, (0.1, 0.9), False, False),  # the weights are known
        ({0: 0.92, 1: 0.08}, (), True, False),  # actions, weighed by what followed
    ],
)
def test_weights_that_show_in_the_gradient_alone(
    pulls: dict[int, float], weights: tuple[float, ...], returns: bool, is_told: bool
) -> None:
    measured = weighed(weights)
    measured.labels.pulls, measured.weighs_samples = pulls, returns
    found = verdict(RULE, measured)
    assert (found is not None) == is_told
    assert found is None or (found.variant, round(found.numbers["ratio"], 1)) == ("pull", 11.5)
