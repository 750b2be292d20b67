"""initial-loss: told of a first loss far above that of a random guess."""

import math

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.initial_loss import RULE
from measurements import check_threshold, head, series, told, training, verdict


def sure(*, first: float = 9.0, std: float = 1.0, recovered: int = 60, last: float = 2.0) -> Measured:
    """Ten classes; the loss begins at `first` and falls to `last` at step `recovered`."""
    measured = training(lambda step: first if step < recovered else last, 100)
    measured.layers["first"].std = series([std])
    return measured


THRESHOLDS = [
    ("min_loss_ratio", {"first": 5.5}, {"first": 5.7}),
    ("min_loss_excess", {"first": 5.5}, {"first": 5.7}),
    ("max_output_std", {"std": 20.5}, {"std": 19.5}),
]
SEVERITIES = [
    ("min_recovery_share", {"recovered": 19, "last": 0.1}, {"recovered": 24, "last": 0.1}),
    ("min_final_loss_ratio", {"recovered": 10, "last": 1.1}, {"recovered": 10, "last": 1.2}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, sure, name, inside, beyond) is None


@pytest.mark.parametrize(("name", "inside", "beyond"), SEVERITIES)
def test_what_is_overcome_soon_is_advice(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    at_ease = check_threshold(RULE, sure, name, inside, beyond)
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_the_first_loss_is_told_beside_that_of_a_guess() -> None:
    found = told(RULE, sure())
    assert (found.severity, found.since) == ("warning", 1)
    assert found.numbers == {"loss": 9.0, "expected": pytest.approx(math.log(10)), "answers": 10}


def test_two_classes_are_guessed_as_well() -> None:
    measured = Measured(heads=[head("bce-logits", value=4.0, shape=(32, 1))])
    assert told(RULE, measured).numbers["expected"] == pytest.approx(math.log(2))
    assert verdict(RULE, Measured(heads=[head("mse", value=400.0, shape=(32, 1))])) is None
