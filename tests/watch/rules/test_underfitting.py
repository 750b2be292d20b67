"""underfitting: told where the loss stands at what guessing gives, or where a layer is too narrow."""

import math

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.underfitting import RULE
from measurements import check_threshold, told, training, verdict


def resting(
    *, steps: int = 100, share: float = 1.1, late: float = 0.0, classes: int = 10, width: int = 0, epoch: int = 50,
) -> Measured:  # fmt: skip
    """A loss that stands at `share` of guessing, having lost `late` of itself in the last quarter; everything goes
    through a layer of `width` units, where that is given."""
    rest = share * math.log(classes)
    measured = training(lambda step: rest / (1 - late) if 4 * step <= 3 * steps else rest, steps, classes=classes)
    measured.epoch_steps = epoch or None
    if width:
        measured.net.bottlenecks, measured.layers["first"].width = ("first",), width
    return measured


NARROW = {"width": 1, "share": 0.5}
THRESHOLDS = [
    ("min_steps", {"steps": 99}, {"steps": 100}),
    ("min_steps_once", {"steps": 299, "epoch": 200}, {"steps": 300, "epoch": 200}),
    ("max_gain_share", {"late": 0.021}, {"late": 0.019}),
    ("min_loss_ratio", {"share": 0.985}, {"share": 0.995}),
    ("max_loss_ratio", {"share": 1.51}, {"share": 1.49}),
    ("min_classes", {**NARROW, "classes": 3}, {**NARROW, "classes": 4}),
    ("min_narrow_loss_ratio", {"width": 1, "share": 0.29}, {"width": 1, "share": 0.31}),
    ("max_narrow_gain_share", {**NARROW, "late": 0.21}, {**NARROW, "late": 0.19}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, resting, name, inside, beyond) is None


def test_the_loss_is_told_beside_that_of_guessing() -> None:
    found = told(RULE, resting())
    guess = pytest.approx(math.log(10))
    assert found.numbers == {"loss": pytest.approx(1.1 * math.log(10)), "guess": guess, "share": pytest.approx(1.1)}


def test_a_first_pass_may_be_a_slow_start() -> None:
    assert verdict(RULE, resting(steps=200, epoch=0)) is None
    assert verdict(RULE, resting(steps=200, epoch=101)) is None
    assert told(RULE, resting(steps=200, epoch=100)).severity == "warning"


def test_a_narrow_layer_is_told_with_its_width() -> None:
    found = told(RULE, resting(width=2, share=0.6))
    assert (found.variant, found.where) == ("narrow", ("first",))
    assert (found.numbers["width"], found.numbers["outputs"]) == (2, 10)


@pytest.mark.parametrize(("share", "is_told"), [(1.0, True), (0.995, True), (0.98, False), (0.8, False), (0.6, False)])
def test_only_a_loss_at_the_level_of_guessing_is_told(share: float, is_told: bool) -> None:
    rest = share * math.log(10)
    found = verdict(RULE, training(lambda step: max(rest, 2.5 - 0.01 * step), 300))
    assert (found is not None) is is_told
    if found:
        assert found.severity == "warning"


def test_a_loss_that_still_falls_is_silent() -> None:
    assert verdict(RULE, training(lambda step: 2.8 - 0.0015 * step, 300)) is None


def test_a_surrogate_has_no_level_of_guessing() -> None:
    measured = training(lambda step: math.log(10), 300)
    measured.weighs_samples = True
    assert verdict(RULE, measured) is None


def test_a_loss_with_weights_has_no_guess_to_be_held_against() -> None:
    measured = resting()
    assert verdict(RULE, measured) is not None
    measured.labels.weighted = True
    assert verdict(RULE, measured) is None
