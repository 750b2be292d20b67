import math

import numpy
import pytest
import torch
from sklearn import metrics as reference

from danlu.train.metrics import Metrics


def test_classification_equals_sklearn_over_several_batches() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(300, 4, generator=generator)
    targets = torch.randint(0, 4, (300,), generator=generator)
    metrics = Metrics("classification", 4)
    for part in range(0, 300, 70):
        metrics.update(logits[part : part + 70], targets[part : part + 70])
    guesses = logits.argmax(1)
    found = metrics.compute(0.5)
    assert found["accuracy"] == reference.accuracy_score(targets, guesses)
    assert found["f1"] == pytest.approx(reference.f1_score(targets, guesses, average="macro"), abs=1e-15)


@pytest.mark.parametrize(("classes", "outputs", "rare"), [(2, 1, 1), (2, 1, 0), (2, 2, 1), (4, 4, 2)])
def test_where_a_class_is_rare_its_scores_equal_sklearns(classes: int, outputs: int, rare: int) -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(300, outputs, generator=generator).round(decimals=1)  # several samples have one score
    targets = torch.randint(0, classes, (300,), generator=generator)
    metrics = Metrics("classification", classes, rare=rare)
    for part in range(0, 300, 70):
        metrics.update(logits[part : part + 70], targets[part : part + 70])
    found = metrics.compute(0.5)
    odds = torch.cat([0 * logits, logits], 1) if outputs == 1 else logits
    chances = odds.double().softmax(1)[:, rare].numpy().round(12)
    assert found["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(targets, odds.argmax(1)))
    expected = reference.average_precision_score(targets == rare, chances)
    assert found["average_precision"] == pytest.approx(expected, abs=1e-9)
    again = metrics
    again.update(logits[:70], targets[:70])
    assert again.compute(0.5)["average_precision"] != found["average_precision"]


def test_a_rare_class_that_a_part_has_not_has_no_precision() -> None:
    metrics = Metrics("classification", 3, rare=2)
    metrics.update(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 0, 1]))
    assert math.isnan(metrics.compute(0.5)["average_precision"])


def test_a_class_that_is_nowhere_has_no_part_in_f1() -> None:
    metrics = Metrics("classification", 5)
    targets, guesses = torch.tensor([0, 1, 1, 2]), torch.tensor([0, 1, 2, 2])
    metrics.update(torch.nn.functional.one_hot(guesses, 5).float(), targets)
    assert metrics.compute(0.5)["f1"] == pytest.approx(reference.f1_score(targets, guesses, average="macro"), abs=1e-15)


def test_a_class_without_samples_that_is_predicted_counts_as_nothing_right() -> None:
    metrics = Metrics("classification", 3)
    targets, guesses = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 1, 2])
    metrics.update(torch.nn.functional.one_hot(guesses, 3).float(), targets)
    assert metrics.compute(0.5)["f1"] == pytest.approx((1 + 2 / 3 + 0) / 3, abs=1e-15)


def test_one_logit_is_compared_with_zero() -> None:
    metrics = Metrics("classification", 2)
    metrics.update(torch.tensor([[0.2], [-3.0], [1.0]]), torch.tensor([1, 0, 0]))
    assert metrics.compute(0.5)["accuracy"] == 2 / 3


def test_regression_is_in_the_targets_own_unit_and_exact_far_from_zero() -> None:
    generator = numpy.random.default_rng(0)
    targets = generator.normal(size=(500, 1)) + 1000.0
    guesses = targets + generator.normal(size=(500, 1)) * 0.1
    metrics = Metrics("regression", 1, scale=torch.tensor([50.0]))
    metrics.update(torch.tensor(guesses), torch.tensor(targets))
    found = metrics.compute(0.5)
    assert found["r2"] == pytest.approx(reference.r2_score(targets, guesses), abs=1e-9)
    assert found["mae"] == pytest.approx(50 * reference.mean_absolute_error(targets, guesses))
    assert found["rmse"] == pytest.approx(50 * reference.root_mean_squared_error(targets, guesses))


def test_compute_starts_afresh() -> None:
    metrics = Metrics("classification", 2)
    metrics.update(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    assert metrics.compute(0.5)["accuracy"] == 1.0
    metrics.update(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert metrics.compute(0.5)["accuracy"] == 0.0


def test_r2_needs_two_samples() -> None:
    metrics = Metrics("regression", 1)
    metrics.update(torch.tensor([[1.0]]), torch.tensor([[2.0]]))
    assert "r2" not in metrics.compute(0.5)


def test_perplexity_is_the_exponential_of_the_mean_loss_and_never_overflows() -> None:
    metrics = Metrics("language", 28)
    metrics.update(torch.zeros(2, 5, 28), torch.zeros(2, 5, dtype=torch.int64))
    assert metrics.compute(math.log(28)) == {"perplexity": pytest.approx(28)}
    assert metrics.compute(1e6)["perplexity"] > 1e300
    assert math.isnan(metrics.compute(math.nan)["perplexity"])


def test_reconstruction_is_measured_in_the_samples_own_unit() -> None:
    metrics = Metrics("reconstruction", 4)
    metrics.update(torch.zeros(3, 4), torch.full((3, 4), 0.5))
    assert metrics.compute(0.25) == {"mae": pytest.approx(0.5), "rmse": pytest.approx(0.5)}
