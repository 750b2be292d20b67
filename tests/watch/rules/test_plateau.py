"""plateau: told only where there are signs that something can still be gained."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.plateau import RULE
from measurements import check_threshold, told, training, verdict


def resting(rate: float, kind: str = "Adam", *, size: float = 5e-3, kept: float = 0.5) -> Measured:
    """A loss that fell to a half soon, and stands there since."""
    measured = training(lambda step: max(1.1, 2.3 * 0.95**step), 400, rate=rate, kind=kind, update=size)
    measured.noise.values[:] = [kept] * len(measured.noise)
    return measured


def halted(
    *, steps: int = 400, late: float = 0.0, gone: float = 0.5, rate: float = 0.05, kind: str = "Adam",
    update: float = 5e-3, kept: float = 0.5,
) -> Measured:  # fmt: skip
    """A loss that fell by `gone` of itself at once, and by `late` of the rest for its last quarter."""
    rest = 2.3 * (1 - gone)
    measured = training(
        lambda step: 2.3 if step <= 5 else rest if 4 * step <= 3 * steps else rest * (1 - late), steps, rate=rate,
        kind=kind, update=update,
    )  # fmt: skip
    measured.noise.values[:] = [kept] * len(measured.noise)
    return measured


COARSE = {"kind": "SGD", "rate": 0.3}
THRESHOLDS = [
    ("min_steps", {"steps": 119}, {"steps": 120}),
    ("max_gain_share", {"late": 0.021}, {"late": 0.019}),
    ("min_progress_share", {"gone": 0.09}, {"gone": 0.11}),
    ("max_progress_share", {"gone": 0.96}, {"gone": 0.94}),
    ("min_update_ratio", {**COARSE, "kept": 0.05, "update": 0.019}, {**COARSE, "kept": 0.05, "update": 0.021}),
    ("max_direction_share", {**COARSE, "kept": 0.21, "update": 0.05}, {**COARSE, "kept": 0.19, "update": 0.05}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, halted, name, inside, beyond) is None


def test_the_loss_is_told_with_the_size_of_the_steps() -> None:
    found = told(RULE, halted(update=0.03))
    assert (found.severity, found.since) == ("advice", 200)
    assert (found.numbers["loss"], found.numbers["first"]) == (pytest.approx(1.15), 2.3)
    assert (found.numbers["size"], found.numbers["rate"]) == (pytest.approx(0.03), 0.05)


def test_a_rate_beyond_the_usual_ones_is_told() -> None:
    found = verdict(RULE, resting(0.05))
    assert found is not None
    assert (found.variant, found.since) == ("", 200)


@pytest.mark.parametrize(("rate", "kind"), [(0.01, "Adam"), (0.001, "AdamW"), (0.5, "SGD")])
def test_a_loss_at_its_floor_under_a_usual_rate_is_silent(rate: float, kind: str) -> None:
    assert verdict(RULE, resting(rate, kind)) is None


@pytest.mark.parametrize(
    ("size", "kept", "is_told"), [(0.05, 0.05, True), (0.05, 0.3, False), (0.015, 0.05, False)]
)  # steps, and the share of their direction that they keep
def test_large_steps_that_follow_noise_are_told(size: float, kept: float, is_told: bool) -> None:
    assert (verdict(RULE, resting(0.3, "SGD", size=size, kept=kept)) is not None) is is_told


def test_a_rate_that_was_lowered_is_silent() -> None:
    measured = resting(0.05)
    measured.optimisers[0].rate.add(401, 0.005)
    assert verdict(RULE, measured) is None


def test_a_net_that_never_left_its_start_is_told_where_no_guess_is_known() -> None:
    measured = training(lambda step: 3.0, 200, classes=0)
    found = verdict(RULE, measured)
    assert found is not None
    assert found.variant == "start"
    for layer in measured.layers.values():
        layer.fresh = False
    assert verdict(RULE, measured) is None  # a trained net, trained on


def test_after_a_resume_it_counts_from_the_beginning_of_the_training() -> None:
    measured = resting(0.05)
    measured.before, measured.step = 300, 100
    found = verdict(RULE, measured)
    assert found is not None
    assert found.since + measured.before == found.numbers["since"] + measured.before == 200


def test_a_loss_that_has_risen_does_not_stand_still() -> None:
    measured = training(lambda step: 2.0 if step <= 5 else 9.0, 400, rate=1e-3, kind="Adam", classes=0)
    assert verdict(RULE, measured) is None
    still = training(lambda step: 2.0, 400, rate=1e-3, kind="Adam", classes=0)
    assert told(RULE, still).variant == "start"
