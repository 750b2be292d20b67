"""overfitting: told of a rise that is more than the noise of so many samples, and of nothing less."""

import math
from collections.abc import Sequence

import pytest

from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation
from danlu.watch.rules.overfitting import RULE
from measurements import check_threshold, told, training, validated, verdict

RISING = [1.0, 0.5, 0.6, 0.8, 1.0, 1.2]


def learnt() -> Measured:
    return training(lambda step: 2.3 * 0.99**step, 400)


def rising(
    *, losses: Sequence[float] = RISING, samples: int = 2000, error: float = math.nan, train: float = 0.04
) -> Measured:
    """A training loss that falls from 2.3 to `train`, and validation losses."""
    measured = training(lambda step: 2.3 if step <= 5 else train, 400)
    return validated(measured, losses, samples=samples, error=error)


def apart(*, train: float = 1.0, accuracy: float = 0.6) -> Measured:
    """Accuracies without a validation loss."""
    measured = learnt()
    for _ in range(10):
        measured.accuracy.add(train)
    measured.evaluations.append(Evaluation(400, 1, 3000, math.nan, accuracy, training=False, overlap=0.0))
    return measured


def after_best(best: float, now: float) -> dict[str, object]:
    return {"losses": [1.0, best, now, now, now, now]}


THRESHOLDS = [
    ("min_evaluations", rising, {"losses": [0.5, 1.1, 1.2]}, {"losses": [0.5, 1.0, 1.1, 1.2]}),
    ("min_loss_ratio", rising, after_best(0.5, 0.57), after_best(0.5, 0.58)),
    ("max_train_loss_ratio", rising, {**after_best(0.5, 0.8), "train": 0.41}, {**after_best(0.5, 0.8), "train": 0.39}),
    ("min_train_accuracy", apart, {"train": 0.89}, {"train": 0.91}),
    ("min_accuracy_gap", apart, {"train": 0.98, "accuracy": 0.84}, {"train": 0.98, "accuracy": 0.82}),
    ("min_accuracy_by_heart", apart, {"train": 0.985, "accuracy": 0.86}, {"train": 0.995, "accuracy": 0.86}),
    ("min_gap_by_heart", apart, {"accuracy": 0.91}, {"accuracy": 0.89}),
    ("min_samples", rising, {"samples": 29}, {"samples": 30}),
    ("min_standard_errors", rising, {"samples": 400, "error": 0.6 / 1.9}, {"samples": 400, "error": 0.6 / 2.1}),
]
SEVERITIES = [
    ("min_loss_ratio_warning", after_best(0.5, 0.74), after_best(0.5, 0.76)),
    ("min_lost_share_warning", after_best(0.1, 0.2), after_best(0.1, 0.22)),
]


@pytest.mark.parametrize(("name", "build", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, build: object, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, build, name, inside, beyond) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "inside", "beyond"), SEVERITIES)
def test_a_slight_loss_is_advice(name: str, inside: dict[str, object], beyond: dict[str, object]) -> None:
    at_ease = check_threshold(RULE, rising, name, inside, beyond)
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_both_losses_are_told_with_the_step_of_the_best() -> None:
    found = told(RULE, rising())
    assert found.numbers == {"best": 0.5, "now": 1.1, "train": pytest.approx(0.04), "step": 133, "samples": 2000}


def test_both_accuracies_are_told() -> None:
    found = told(RULE, apart())
    assert (found.severity, found.variant) == ("warning", "gap")
    assert found.numbers == {"accuracy": 0.6, "train": 1.0, "samples": 3000}


@pytest.mark.parametrize(("samples", "is_told"), [(0, True), (8, False), (64, True)])
def test_a_few_batches_without_a_mistake_are_no_training_accuracy(samples: int, is_told: bool) -> None:
    measured = apart(accuracy=0.88)
    measured.accuracy_samples = samples
    assert (verdict(RULE, measured) is not None) is is_told


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


@pytest.mark.parametrize(("samples", "is_told"), [(60, True), (40, True), (20, False)])
def test_the_gap_between_the_accuracies_needs_samples_too(samples: int, is_told: bool) -> None:
    measured = learnt()
    for _ in range(10):
        measured.accuracy.add(1.0)
    measured.evaluations.append(Evaluation(400, 1, samples, math.nan, 0.7, training=False, overlap=0.0))
    assert (verdict(RULE, measured) is not None) is is_told


def test_a_gap_that_chance_explains_is_silent() -> None:
    measured = learnt()
    for _ in range(10):
        measured.accuracy.add(0.905)
    measured.evaluations.append(Evaluation(400, 1, 30, math.nan, 0.75, training=False, overlap=0.0))
    assert verdict(RULE, measured) is None
    measured.evaluations[0] = Evaluation(400, 1, 3000, math.nan, 0.75, training=False, overlap=0.0)
    assert verdict(RULE, measured) is not None


def pass_at(step: int, accuracy: float, overlap: float = math.nan) -> Evaluation:
    return Evaluation(step, 1, 3000, math.nan, accuracy, training=False, overlap=overlap)


@pytest.mark.parametrize(
    "passes",
    [
        [pass_at(1, 0.3)],  # tried out before the first step, and the training is far beyond it
        [pass_at(150, 0.6, 0.0)],
        [pass_at(1, 0.3), pass_at(200, 0.98, 1.0), pass_at(400, 0.99, 1.0)],  # the later ones are over training samples
    ],
    ids=["before the first step", "long ago", "over training samples"],
)
def test_accuracies_of_another_time_or_of_training_samples_are_not_compared(passes: list[Evaluation]) -> None:
    measured = apart()
    measured.evaluations[:] = passes
    assert verdict(RULE, measured) is None


def test_a_training_that_comes_apart_learns_nothing_by_heart() -> None:
    """Validation was best early on, and the training loss has risen since, above that."""
    rising_too = training(lambda step: 0.6 if step < 150 else 1.7, 400)
    worse = [1.0, 0.95, 2.0, 4.0, 4.0, 4.0]
    assert verdict(RULE, validated(rising_too, worse, samples=2000)) is None
    assert verdict(RULE, validated(learnt(), worse, samples=2000)) is not None
