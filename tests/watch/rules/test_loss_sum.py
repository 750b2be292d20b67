"""loss-sum: told of a loss that grows with the batch, and gravely where the rate was not chosen for it."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.loss_sum import RULE
from measurements import check_threshold, fallen, head, told, verdict


def summed(*, batch: int = 32, rate: float = 0.1) -> Measured:
    measured = fallen(0.5, rate=rate)
    measured.heads = [head(shape=(batch, 10), summed=True)]
    return measured


def test_each_threshold_decides() -> None:
    assert check_threshold(RULE, summed, "min_batch_samples", {"batch": 3}, {"batch": 4}) is None
    at_ease = check_threshold(RULE, summed, "min_effective_lr", {"rate": 0.015}, {"rate": 0.016})
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_the_rate_is_told_with_what_it_acts_like() -> None:
    found = told(RULE, summed())
    assert found.severity == "warning"
    assert found.numbers == {"batch": 32, "rate": 0.1, "effective": pytest.approx(3.2)}


def test_an_adaptive_optimiser_divides_the_factor_out_again() -> None:
    measured = summed()
    measured.optimisers[0].kind = "Adam"
    assert told(RULE, measured).severity == "advice"


def test_a_mean_is_silent() -> None:
    measured = summed()
    measured.heads = [head()]
    assert verdict(RULE, measured) is None
