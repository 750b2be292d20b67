"""output-activation: told of a last activation that keeps the net from its answers."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.output_activation import RULE
from measurements import check_threshold, head, told, verdict


def bounded(*, high: float = 5.0) -> Measured:
    """A sigmoid in front of targets from 0 to `high`."""
    measured = Measured(heads=[head("mse", shape=(32, 1), between=("Sigmoid",))])
    measured.labels.kind, measured.labels.seen = "numbers", 100
    measured.labels.low, measured.labels.high = 0.0, high
    return measured


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, bounded, "min_overshoot_share", {"high": 1.05}, {"high": 1.06}) is None


def test_targets_out_of_reach_are_told_with_both_ranges() -> None:
    found = told(RULE, bounded())
    assert (found.severity, found.variant) == ("error", "range")
    assert found.numbers == {"activation": "sigmoid", "low": 0.0, "high": 5.0, "least": 0.0, "most": 1.0}


@pytest.mark.parametrize(("last", "severity"), [("Relu", "warning"), ("Tanh", "warning"), ("Gelu", "advice")])
def test_logits_that_are_bent_are_told(last: str, severity: str) -> None:
    found = told(RULE, Measured(heads=[head(between=("View", last))]))
    assert (found.severity, found.variant, found.numbers["activation"]) == (severity, "logits", last.lower())


def test_a_softmax_over_the_batch_or_over_one_output_is_an_error() -> None:
    over_the_batch = told(RULE, Measured(heads=[head(across_batch=True, between=("Softmax",))]))
    assert (over_the_batch.variant, over_the_batch.numbers) == ("batch", {"shape": "32×10"})
    assert told(RULE, Measured(heads=[head("mse", shape=(32, 1), between=("Softmax",))])).variant == "one"


def test_a_linear_output_is_silent() -> None:
    assert verdict(RULE, Measured(heads=[head(), head("mse", shape=(32, 1))])) is None
