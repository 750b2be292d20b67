"""too-few-epochs: told once, at the end, where as many steps again would gain much."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.too_few_epochs import RULE
from measurements import training, validated, verdict


def falling(*, ended: bool = True, steps: int = 100) -> Measured:
    """From 2.3 straight down by a fifth."""
    return training(lambda step: 2.3 - 0.46 * step / steps, steps, ended=ended)


def test_a_loss_that_had_only_begun_to_fall_is_told_with_what_more_steps_would_gain() -> None:
    found = verdict(RULE, falling())
    assert found is not None
    assert found.severity == "advice"
    assert found.numbers["expected"] < found.numbers["loss"] - 0.15


def test_nothing_is_told_before_the_end() -> None:
    assert verdict(RULE, falling(ended=False)) is None


@pytest.mark.parametrize(
    "end", [0.02, 0.05, 0.1, 0.3], ids=lambda end: f"{end} left"
)  # of the first loss, when the training ends
def test_a_loss_that_creeps_towards_its_floor_is_not_told(end: float) -> None:
    curve = training(lambda step: 2.3 * max(end, 0.97**step) * (1 + 0.2 / step), 300)
    assert verdict(RULE, curve) is None


def test_what_the_held_out_samples_no_longer_gain_is_not_told() -> None:
    turned = validated(falling(), [2.2, 2.0, 1.9, 2.0, 2.1], samples=200)
    assert verdict(RULE, turned) is None
    assert verdict(RULE, validated(falling(), [2.2, 2.1, 2.05, 2.0, 1.9], samples=200)) is not None


def test_a_schedule_that_has_come_to_its_end_is_not_told() -> None:
    measured = falling()
    measured.optimisers[0].rate.add(101, 0.001)
    assert verdict(RULE, measured) is None


def test_a_loss_that_only_wavers_is_not_told() -> None:
    assert verdict(RULE, training(lambda step: 2.3 - 0.1 * (step % 7) / 7, 200)) is None


def test_a_surrogate_is_not_read_as_progress() -> None:
    measured = falling()
    measured.weighs_samples = True
    assert verdict(RULE, measured) is None
