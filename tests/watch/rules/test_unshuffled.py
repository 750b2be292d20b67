"""unshuffled: told of batches that do not stand for the data."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.unshuffled import RULE
from measurements import check_threshold, series, told, verdict


def ordered(*, batches: int = 6, excess: float = 6.0, drift: float = 0.5, size: int = 32) -> Measured:
    measured = Measured(step=20)
    measured.inputs.batch, measured.inputs.shape = series([size] * 3), (size, 64)
    facts = measured.labels
    facts.kind, facts.batches, facts.excess, facts.drift = "classes", batches, excess, drift
    return measured


TENS = {"size": 10, "drift": 0.0}
THRESHOLDS = [
    ("min_batches", {"batches": 5}, {"batches": 6}),
    ("min_variance_ratio_per_sample", {**TENS, "excess": 5.9}, {**TENS, "excess": 6.1}),
    ("min_variance_ratio", {"excess": 4.9}, {"excess": 5.1}),
    ("min_correlation", {"drift": 0.29}, {"drift": 0.31}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, ordered, name, inside, beyond) is None


def test_sorted_labels_are_told_with_their_excess() -> None:
    found = told(RULE, ordered(excess=20.0))
    assert (found.severity, found.variant) == ("warning", "")
    assert (found.numbers["excess"], found.numbers["batch"]) == (20.0, 32)


def test_the_same_order_twice_is_advice_but_for_an_optimiser_that_wants_it() -> None:
    measured = ordered(excess=1.0)
    measured.same_order, measured.epoch_steps = True, 8
    assert (told(RULE, measured).severity, told(RULE, measured).variant) == ("advice", "fixed")
    measured.optimisers = [Optimiser("LBFGS")]
    assert verdict(RULE, measured) is None


def test_targets_that_move_while_it_is_trained_are_not_sorted_ones() -> None:
    measured = ordered(excess=20.0)
    measured.labels.kind, measured.epoch_steps, measured.labels.moved = "numbers", 8, 9.0
    assert verdict(RULE, measured) is None
    measured.same_order = True
    assert told(RULE, measured).severity == "warning"
    measured.same_order, measured.labels.moved = False, 1.0
    assert told(RULE, measured).severity == "warning"


def test_returns_of_a_policy_are_no_labels_that_come_sorted() -> None:
    measured = ordered(excess=36.0)
    measured.labels.kind, measured.epoch_steps = "numbers", 8
    assert told(RULE, measured).severity == "warning"
    measured.weighs_samples = True
    assert verdict(RULE, measured) is None


def test_one_batch_of_all_samples_has_no_order() -> None:
    measured = ordered(excess=20.0)
    measured.full_batch = True
    assert verdict(RULE, measured) is None
