"""lr-too-low: told of weights that hardly move while the loss could fall, with a rate that trains."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rates import usual_rates
from danlu.watch.rules.lr_too_low import RULE
from measurements import check_threshold, fallen, told, training, verdict


def standing(rate: float = 1e-5, kind: str = "SGD", update: float = 1e-6) -> Measured:
    return training(lambda step: 2.3 - 1e-4 * step, 100, rate=rate, kind=kind, update=update)


def creeping(*, steps: int = 100, update: float = 1e-6, gone: float = 0.0, start: float = 2.3) -> Measured:
    return fallen(gone, steps, start=start, update=update, rate=1e-5)


def proposed(found: object) -> float:
    return float(next(one["optim.lr"] for one in found.remedies if "optim.lr" in one))  # type: ignore[attr-defined]


THRESHOLDS = [
    ("min_steps", {"steps": 49, "update": 1e-4}, {"steps": 50, "update": 1e-4}),
    ("min_still_steps", {"steps": 19}, {"steps": 20}),
    ("max_still_update_ratio", {"steps": 30, "update": 1.1e-5}, {"steps": 30, "update": 0.9e-5}),
    ("max_update_ratio", {"update": 2.1e-4}, {"update": 1.9e-4}),
    ("max_progress_share", {"gone": 0.16}, {"gone": 0.14}),
    ("min_loss_ratio", {"start": 1.36}, {"start": 1.4}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, creeping, name, inside, beyond) is None


def test_rate_size_and_progress_are_told() -> None:
    found = told(RULE, creeping(gone=0.01))
    assert found.severity == "warning"
    assert found.numbers == {"rate": 1e-5, "size": pytest.approx(1e-6), "progress": pytest.approx(0.01), "steps": 100}


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NeverHeardOf"])
@pytest.mark.parametrize("power", range(-9, -5))
def test_from_any_depth_the_proposed_rate_is_one_that_trains(kind: str, power: int) -> None:
    found = told(RULE, standing(10.0**power, kind))
    low, _, high = usual_rates(kind)
    assert low <= proposed(found) <= high


def test_a_first_batch_that_lies_low_by_chance_is_no_rise() -> None:
    def loss(step: int) -> float:
        return 2.0 if step <= 5 else 2.3 - 5e-4 * step

    falls, rises = training(loss, 300, update=1.9e-4), training(lambda step: 2.0 + 1e-3 * step, 300, update=1.9e-4)
    assert verdict(RULE, falls) is not None
    assert verdict(RULE, rises) is None


def test_steps_below_the_precision_of_the_weights_are_no_update_at_all() -> None:
    assert verdict(RULE, standing(1e-9, update=0.0)) is None


@pytest.mark.parametrize(("size", "is_told"), [(1e-6, True), (1.9e-4, True), (2.1e-4, False)])
def test_small_steps_alone_are_too_low(size: float, is_told: bool) -> None:
    measured = training(lambda step: 2.3 - 1e-4 * step, 100, update=size)
    assert (verdict(RULE, measured) is not None) is is_told


def test_what_is_learnt_already_needs_no_larger_steps() -> None:
    assert verdict(RULE, training(lambda step: 0.3, 100, update=1e-5)) is None


def test_a_rate_that_is_warming_up_is_not_judged() -> None:
    measured = creeping()
    measured.optimisers[0].rate.values[-1] = 2e-5
    assert verdict(RULE, measured) is None


def rounded(*, share: float = 0.7, times: int = 8, low: float = 1.0) -> Measured:
    measured = training(lambda step: 2.3 - 0.01 * step, 100)
    one = measured.optimisers[0]
    one.low_precision = "bfloat16"
    for step in range(1, times + 1):
        one.rounded.add(step, share)
    one.rate.values[-1] = low * one.highest_rate
    return measured


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [("min_rounded_share", {"share": 0.49}, {"share": 0.51}), ("min_measurements", {"times": 5}, {"times": 6})],
)
def test_thresholds_of_what_is_lost_to_rounding(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, rounded, name, inside, beyond) is None


def test_what_is_lost_to_rounding_is_told_with_the_type() -> None:
    found = told(RULE, rounded())
    assert (found.variant, found.numbers["type"], found.numbers["share"]) == ("rounded", "bfloat16", 0.7)
    assert verdict(RULE, rounded(low=0.1)) is None  # at the end of a schedule
