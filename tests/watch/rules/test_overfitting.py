"""overfitting: told of a rise that is more than the noise of so many samples, and of nothing less."""

import math

import pytest

from danlu.watch.measured import Evaluation, Measured
from danlu.watch.rules.overfitting import RULE
from measurements import training, validated, verdict

RISING = [1.0, 0.5, 0.6, 0.8, 1.0, 1.2]


def learnt() -> Measured:
    return training(lambda step: 2.3 * 0.99**step, 400)


def test_a_rise_over_many_samples_is_told() -> None:
    found = verdict(RULE, validated(learnt(), RISING, samples=400))
    assert found is not None
    assert (found.severity, found.since) == ("warning", 2 * 400 // 6)


@pytest.mark.parametrize("samples", [1, 6, 29])
def test_few_samples_say_nothing(samples: int) -> None:
    assert verdict(RULE, validated(learnt(), RISING, samples=samples)) is None
    assert verdict(RULE, validated(learnt(), RISING, samples=30)) is not None


def test_a_rise_within_two_standard_errors_is_silent() -> None:
    rise = 1.1 - 0.5
    assert verdict(RULE, validated(learnt(), RISING, samples=400, error=rise / 2.01)) is not None
    assert verdict(RULE, validated(learnt(), RISING, samples=400, error=rise / 1.99)) is None


def test_where_the_error_is_not_known_losses_spread_by_their_mean() -> None:
    slight = [1.0, 0.8, 0.85, 0.9, 1.0, 1.0]
    assert verdict(RULE, validated(learnt(), slight, samples=90)) is None
    assert verdict(RULE, validated(learnt(), slight, samples=110)) is not None


@pytest.mark.parametrize("losses", [[1.0, 0.5, 0.45, 0.4, 0.38, 0.37], [1.0, 0.5, 0.52, 0.55, 0.54, 0.55]])
def test_a_loss_that_falls_or_hardly_rises_is_silent(losses: list[float]) -> None:
    assert verdict(RULE, validated(learnt(), losses, samples=2000)) is None


@pytest.mark.parametrize(("samples", "told"), [(60, True), (40, True), (20, False)])
def test_the_gap_between_the_accuracies_needs_samples_too(samples: int, told: bool) -> None:
    measured = learnt()
    for _ in range(10):
        measured.accuracy.add(1.0)
    measured.evaluations.append(Evaluation(400, 1, samples, math.nan, 0.7, training=False, overlap=0.0))
    assert (verdict(RULE, measured) is not None) is told


def test_a_gap_that_chance_explains_is_silent() -> None:
    measured = learnt()
    for _ in range(10):
        measured.accuracy.add(0.905)
    measured.evaluations.append(Evaluation(400, 1, 30, math.nan, 0.75, training=False, overlap=0.0))
    assert verdict(RULE, measured) is None
    measured.evaluations[0] = Evaluation(400, 1, 3000, math.nan, 0.75, training=False, overlap=0.0)
    assert verdict(RULE, measured) is not None
