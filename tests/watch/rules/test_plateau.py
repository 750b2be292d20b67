"""plateau: told only where there are signs that something can still be gained."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.plateau import RULE
from measurements import training, verdict


def resting(rate: float, kind: str = "Adam", *, size: float = 5e-3, kept: float = 0.5) -> Measured:
    """A loss that fell to a half soon, and stands there since."""
    measured = training(lambda step: max(1.1, 2.3 * 0.95**step), 400, rate=rate, kind=kind, update=size)
    measured.noise.values[:] = [kept] * len(measured.noise)
    return measured


def test_a_rate_beyond_the_usual_ones_is_told() -> None:
    found = verdict(RULE, resting(0.05))
    assert found is not None
    assert (found.variant, found.since) == ("", 200)


@pytest.mark.parametrize(("rate", "kind"), [(0.01, "Adam"), (0.001, "AdamW"), (0.5, "SGD")])
def test_a_loss_at_its_floor_under_a_usual_rate_is_silent(rate: float, kind: str) -> None:
    assert verdict(RULE, resting(rate, kind)) is None


@pytest.mark.parametrize(
    ("size", "kept", "told"), [(0.05, 0.05, True), (0.05, 0.3, False), (0.015, 0.05, False)]
)  # steps, and the share of their direction that they keep
def test_large_steps_that_follow_noise_are_told(size: float, kept: float, told: bool) -> None:
    assert (verdict(RULE, resting(0.3, "SGD", size=size, kept=kept)) is not None) is told


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
