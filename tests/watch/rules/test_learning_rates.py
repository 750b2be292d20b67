"""lr-too-high, lr-too-low and no-update: which losses they read, and the rate that they propose."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rates import usual_rates
from danlu.watch.rules import lr_too_high, lr_too_low, no_update
from measurements import training, verdict


def rising(rate: float = 5.0, kind: str = "SGD") -> Measured:
    return training(lambda step: 2.3 + 0.2 * step, 60, rate=rate, kind=kind, update=0.5)


def standing(rate: float = 1e-5, kind: str = "SGD", update: float = 1e-6) -> Measured:
    return training(lambda step: 2.3 - 1e-4 * step, 100, rate=rate, kind=kind, update=update)


def proposed(found: object) -> float:
    return float(next(one["optim.lr"] for one in found.remedies if "optim.lr" in one))  # type: ignore[attr-defined]


def test_a_loss_that_rises_under_large_steps_is_told() -> None:
    assert verdict(lr_too_high.RULE, rising()) is not None


def test_a_surrogate_may_rise_and_leap() -> None:
    weighed = rising()
    weighed.weighs_samples = True
    assert verdict(lr_too_high.RULE, weighed) is None
    assert verdict(lr_too_high.RULE, training(lambda step: (-1) ** step * step, 90, update=0.5)) is None
    moving = rising()
    moving.labels.kind, moving.labels.moved = "numbers", 9.0
    assert verdict(lr_too_high.RULE, moving) is None


def test_a_surrogate_that_ends_in_nan_is_told() -> None:
    measured = rising()
    measured.weighs_samples, measured.nonfinite_at = True, 40
    assert verdict(lr_too_high.RULE, measured) is not None


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Lion", "NeverHeardOf"])
@pytest.mark.parametrize("power", range(2, 10))
def test_from_any_height_the_proposed_rate_is_one_that_trains(kind: str, power: int) -> None:
    found = verdict(lr_too_high.RULE, rising(10.0**power, kind))
    low, _, high = usual_rates(kind)
    assert low <= proposed(found) <= high


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NeverHeardOf"])
@pytest.mark.parametrize("power", range(-9, -5))
def test_from_any_depth_too(kind: str, power: int) -> None:
    found = verdict(lr_too_low.RULE, standing(10.0**power, kind))
    low, _, high = usual_rates(kind)
    assert low <= proposed(found) <= high


def test_steps_below_the_precision_of_the_weights_get_a_rate_too() -> None:
    still = standing(1e-9, update=0.0)
    assert verdict(lr_too_low.RULE, still) is None
    low, _, high = usual_rates("SGD")
    assert low <= proposed(verdict(no_update.RULE, still)) <= high


def test_a_rate_just_too_high_is_taken_down_by_ten() -> None:
    measured = rising(0.3)
    for layer in measured.layers.values():
        layer.gradient.values[:] = [1e-3] * len(layer.gradient)  # a first step of which would want a rate above 1
    assert proposed(verdict(lr_too_high.RULE, measured)) == 0.03


def test_momentum_makes_the_proposed_rate_smaller() -> None:
    plain = verdict(lr_too_high.RULE, rising(50.0))
    measured = rising(50.0)
    measured.optimisers[0].momentum = 0.9
    assert proposed(verdict(lr_too_high.RULE, measured)) == pytest.approx(proposed(plain) / 10)


@pytest.mark.parametrize(("size", "told"), [(1e-6, True), (1.9e-4, True), (2.1e-4, False)])
def test_small_steps_alone_are_too_low(size: float, told: bool) -> None:
    measured = training(lambda step: 2.3 - 1e-4 * step, 100, update=size)
    assert (verdict(lr_too_low.RULE, measured) is not None) is told


def test_what_is_learnt_already_needs_no_larger_steps() -> None:
    assert verdict(lr_too_low.RULE, training(lambda step: 0.3, 100, update=1e-5)) is None
