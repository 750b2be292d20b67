"""lr-too-high: which losses it reads, what is told of them, and the rate that it proposes."""

import math

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rates import usual_rates
from danlu.watch.rules.lr_too_high import RULE
from measurements import check_threshold, series, told, training, verdict


def rising(rate: float = 5.0, kind: str = "SGD") -> Measured:
    return training(lambda step: 2.3 + 0.2 * step, 60, rate=rate, kind=kind, update=0.5)


def going(*, ratio: float = 1.0, steps: int = 60, update: float = 0.05, peak: float = 1.0) -> Measured:
    """A loss of 1 that has a `peak` at its second step, and from the sixth on stands at `ratio`."""
    return training(lambda step: peak if step == 2 else 1.0 if step <= 5 else ratio, steps, update=update, classes=0)


def leaping(*, low: float = 0.2, lows: tuple[int, ...] = (3,), update: float = 0.05) -> Measured:
    """A loss of 1.2, but for those eighths of the second half of the training that lie `low`."""
    return training(
        lambda step: 1.0 if step <= 5 else low if step > 64 and (step - 65) // 8 in lows else 1.2, 128, update=update,
        classes=0,
    )  # fmt: skip


def proposed(found: object) -> float:
    return float(next(one["optim.lr"] for one in found.remedies if "optim.lr" in one))  # type: ignore[attr-defined]


SLOW = {"update": 1.1, "steps": 100}
FEW = {"steps": 12, "update": 1.1}
THRESHOLDS = [
    ("min_steps", {"ratio": 5.0, "steps": 19}, {"ratio": 5.0, "steps": 20}),
    ("min_loss_ratio", {"ratio": 1.9}, {"ratio": 2.1}),
    ("min_blown_loss_ratio", {"ratio": 990.0, **FEW}, {"ratio": 1010.0, **FEW}),
    ("min_update_ratio", {"ratio": 5.0, "update": 0.0099}, {"ratio": 5.0, "update": 0.0101}),
    ("min_stuck_update_ratio", {"update": 0.29}, {"update": 0.31}),
    ("min_stuck_loss_ratio", {"ratio": 0.94, "update": 0.5}, {"ratio": 0.96, "update": 0.5}),
    ("min_slow_loss_ratio", {**SLOW, "ratio": 0.74}, {**SLOW, "ratio": 0.76}),
    ("min_slow_steps", {**SLOW, "ratio": 0.8, "steps": 99}, {**SLOW, "ratio": 0.8}),
    ("min_leap_update_ratio", {**SLOW, "ratio": 0.8, "update": 0.99}, {**SLOW, "ratio": 0.8, "update": 1.01}),
    ("min_leap_loss_ratio", {"ratio": 0.1, "update": 1.1, "peak": 4.9}, {"ratio": 0.1, "update": 1.1, "peak": 5.1}),
]
LATE = [
    ("min_late_update_ratio", {"update": 0.019}, {"update": 0.021}),
    ("min_jump_std_ratio", {"low": 0.24}, {"low": 0.2}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, going, name, inside, beyond) is None


def quick(*, end: float = 1.0) -> Measured:
    """Ten classes: from the second step on the loss stands at `end` of what guessing gives."""
    return training(lambda step: 2.3 if step == 1 else end * math.log(10), 60, update=0.5, classes=10)


def test_what_has_learnt_within_five_steps_is_not_stuck() -> None:
    found = check_threshold(RULE, quick, "min_guess_ratio", {"end": 0.79}, {"end": 0.81})
    assert found is None


@pytest.mark.parametrize(("name", "inside", "beyond"), LATE)
def test_late_jumps_too(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, leaping, name, inside, beyond) is None


@pytest.mark.parametrize(
    ("measured", "variant", "severity"),
    [
        (going(ratio=5.0), "rising", "error"),
        (going(update=0.5), "stuck", "error"),
        (going(ratio=0.8, update=1.1, steps=100), "stuck", "warning"),
        (going(ratio=0.1, update=1.1, peak=8.0), "leap", "warning"),
        (leaping(lows=(1, 3, 5)), "jumping", "warning"),
    ],
    ids=["rising", "stuck", "slow", "leap", "jumping"],
)
def test_each_course_is_told_with_its_numbers(measured: Measured, variant: str, severity: str) -> None:
    found = told(RULE, measured)
    assert (found.variant, found.severity) == (variant, severity)
    assert (found.numbers["rate"], found.numbers["first"]) == (0.1, pytest.approx(1.0))
    assert found.numbers["size"] == pytest.approx(measured.layers["first"].update.first)


def test_a_few_unusual_batches_are_no_rise() -> None:
    """A target with a long tail: one batch in nine has a loss of ten times the others'."""
    for every in (9, 20):
        unusual = training(lambda step, every=every: 4.0 if step % every == 8 else 0.4, 160, update=0.05, classes=0)
        assert verdict(RULE, unusual) is None


@pytest.mark.parametrize(("gradient", "is_told"), [(0.9, True), (float("inf"), False)])
def test_an_update_too_large_to_be_measured_is_told_by_its_gradient(gradient: float, is_told: bool) -> None:
    measured = training(lambda step: 2.3, 1, rate=1e30)
    measured.nonfinite_at, measured.nonfinite_what = 2, "activation"
    for layer in measured.layers.values():
        layer.update, layer.gradient, layer.weight = series([float("inf")]), series([gradient]), series([6.0])
    found = verdict(RULE, measured)
    assert (found is not None) is is_told
    if found:
        assert found.numbers["size"] == pytest.approx(1.5e29)
        assert usual_rates("SGD")[0] <= proposed(found) <= usual_rates("SGD")[2]


def test_a_loss_that_rises_is_told_since_it_rose() -> None:
    found = told(RULE, rising())
    assert found.numbers["loss"] > 13
    assert found.since == 10  # 2.3 and 0.2 a step: half as much again


def test_a_surrogate_may_rise_and_leap() -> None:
    weighed = rising()
    weighed.weighs_samples = True
    assert verdict(RULE, weighed) is None
    assert verdict(RULE, training(lambda step: (-1) ** step * step, 90, update=0.5)) is None
    moving = rising()
    moving.labels.kind, moving.labels.moved = "numbers", 9.0
    assert verdict(RULE, moving) is None


def test_a_surrogate_that_ends_in_nan_is_told() -> None:
    measured = rising()
    measured.weighs_samples, measured.nonfinite_at = True, 40
    assert told(RULE, measured).since == 40


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Lion", "NeverHeardOf"])
@pytest.mark.parametrize("power", range(2, 10))
def test_from_any_height_the_proposed_rate_is_one_that_trains(kind: str, power: int) -> None:
    found = told(RULE, rising(10.0**power, kind))
    low, _, high = usual_rates(kind)
    assert low <= proposed(found) <= high


def test_a_rate_just_too_high_is_taken_down_by_ten() -> None:
    measured = rising(0.3)
    for layer in measured.layers.values():
        layer.gradient.values[:] = [1e-3] * len(layer.gradient)  # a first step of which would want a rate above 1
    assert proposed(told(RULE, measured)) == 0.03


def test_momentum_makes_the_proposed_rate_smaller() -> None:
    plain = told(RULE, rising(50.0))
    measured = rising(50.0)
    measured.optimisers[0].momentum = 0.9
    assert proposed(told(RULE, measured)) == pytest.approx(proposed(plain) / 10)


def heavy(*, momentum: float = 0.99, rate: float = 0.1, ratio: float = 1.0, steps: int = 100) -> Measured:
    return training(lambda step: 2.3 if step <= 5 else 2.3 * ratio, steps, rate=rate, momentum=momentum, update=0.02)


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_momentum", {"momentum": 0.969, "rate": 0.5}, {"momentum": 0.971, "rate": 0.5}),
        ("min_summed_rate", {"rate": 0.029}, {"rate": 0.031}),
    ],
)
def test_momentum_that_adds_up_to_too_much_is_told(
    name: str, inside: dict[str, float], beyond: dict[str, float]
) -> None:
    assert check_threshold(RULE, heavy, name, inside, beyond) is None
    found = told(RULE, heavy())
    assert (found.variant, found.numbers["summed"]) == ("momentum", pytest.approx(10))
    assert verdict(RULE, heavy(ratio=0.5)) is None


def still(*, ratio: float = 1.0, update: float = 0.06, kind: str = "SGD", low: float = 1.0) -> Measured:
    """A loss that stands at guessing, but for a third of the training at `low`."""
    return training(
        lambda step: low if 40 < step <= 80 else ratio, 120, update=update, kind=kind, classes=0,
    )  # fmt: skip


def test_a_loss_that_never_left_that_of_guessing_under_large_steps() -> None:
    assert check_threshold(RULE, still, "min_still_update_ratio", {"update": 0.049}, {"update": 0.051}) is None
    assert told(RULE, still()).variant == "stuck"
    assert verdict(RULE, still(kind="Adam")) is None
    assert verdict(RULE, still(low=0.8)) is None


@pytest.mark.parametrize(
    ("target", "falls", "silent"), [(7e5, 0.002, True), (99.0, 0.002, False), (7e5, 0.0, False)], ids=str
)
def test_weights_may_grow_by_any_measure_into_far_targets_while_the_loss_falls(
    target: float, falls: float, silent: bool
) -> None:
    measured = training(lambda step: 1.0 - falls * step, 120, kind="Adam", update=40.0, classes=0)
    measured.labels.kind, measured.labels.seen = "numbers", 640
    measured.labels.low, measured.labels.high = 0.0, target
    assert (verdict(RULE, measured) is None) is silent
