import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.exceptions import UndefinedMetricWarning
from torch import Tensor

from danlu.base.errors import UserError
from danlu.base.recipe import LossRecipe
from danlu.train.label_scores import best_threshold
from danlu.train.losses import bce, choose_loss
from danlu.train.metrics import Metrics
from danlu.train.ranking import average_precision


def drawn(seed: int, labels: int, samples: int) -> tuple[Tensor, Tensor]:
    """Logits with many equal ones, and targets; the last label is nowhere."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(samples, labels, generator=generator).mul(4).round().div(4)
    targets = (torch.rand(samples, labels, generator=generator) < 0.4).double()
    targets[:, -1] = 0
    return logits, targets


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore:No positive class")
@given(seed=st.integers(0, 10**6), labels=st.integers(2, 5), samples=st.integers(1, 40))
def test_scores_equal_scikit_learns_over_several_batches(seed: int, labels: int, samples: int) -> None:
    assert issubclass(UndefinedMetricWarning, UserWarning)
    logits, targets = drawn(seed, labels, samples)
    thresholds = torch.linspace(0.3, 0.7, labels, dtype=torch.float64)
    names = tuple("abcde"[:labels])
    metrics = Metrics("multi-label", labels, thresholds=thresholds, names=names)
    for some in torch.arange(samples).split(7):
        metrics.update(logits[some], targets[some])
    found = metrics.compute(0.0)
    probabilities = logits.double().sigmoid()
    given, there = (probabilities >= thresholds).int().numpy(), targets.int().numpy()
    wanted = {
        "f1": reference.f1_score(there, given, average="macro", zero_division=0),
        "f1_micro": reference.f1_score(there, given, average="micro", zero_division=0),
        "map": reference.average_precision_score(there, probabilities.numpy(), average="macro"),
        "subset_accuracy": reference.accuracy_score(there, given),
    }
    each = reference.f1_score(there, given, average=None, zero_division=0)
    wanted |= {f"f1.{name}": float(value) for name, value in zip(names, numpy.asarray(each), strict=True)}
    for name, value in wanted.items():
        assert found[name] == pytest.approx(float(value), abs=1e-12), name


@given(seed=st.integers(0, 10**6), samples=st.integers(1, 30))
def test_no_other_threshold_has_a_larger_f1(seed: int, samples: int) -> None:
    logits, targets = drawn(seed, 2, samples)
    probabilities, there = logits[:, 0].double().sigmoid(), targets[:, 0] > 0
    chosen = best_threshold(probabilities, there)
    assert (chosen is None) == (not there.any())
    if chosen is None:
        return

    def f1(threshold: float) -> float:
        given = probabilities >= threshold
        return float(2 * (given & there).sum() / (given.sum() + there.sum()))

    assert 0 < chosen < 1
    assert f1(chosen) >= max(f1(one) for one in [0.0, *probabilities.tolist()]) - 1e-12


def test_a_label_that_is_never_there_has_no_precision_and_no_threshold() -> None:
    nowhere = torch.tensor([False, False])
    assert average_precision(torch.tensor([0.2, 0.4]), nowhere) == 0.0
    assert best_threshold(torch.tensor([0.2, 0.4]), nowhere) is None


def test_the_loss_of_labels_is_the_mean_over_samples_and_labels() -> None:
    logits, targets = drawn(1, 3, 8)
    p = logits.double().sigmoid()
    wanted = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
    assert float(bce(logits.double(), targets)) == pytest.approx(float(wanted), abs=1e-12)


def test_each_of_several_numbers_has_its_own_scores_in_its_own_unit() -> None:
    generator = numpy.random.default_rng(0)
    targets = generator.normal(size=(50, 2))
    guesses = targets + generator.normal(size=(50, 2)) * [0.1, 0.4]
    scale = torch.tensor([10.0, 0.5])
    metrics = Metrics("regression", 2, scale, names=("height", "weight"))
    metrics.update(torch.tensor(guesses), torch.tensor(targets))
    found = metrics.compute(0.0)
    true, guessed = targets * scale.numpy(), guesses * scale.numpy()
    for at, name in enumerate(("height", "weight")):
        own = true[:, at], guessed[:, at]
        assert found[f"r2.{name}"] == pytest.approx(reference.r2_score(*own))
        assert found[f"mae.{name}"] == pytest.approx(reference.mean_absolute_error(*own))
        assert found[f"rmse.{name}"] == pytest.approx(reference.root_mean_squared_error(*own))
    for metric in ("r2", "mae", "rmse"):
        assert found[metric] == pytest.approx((found[f"{metric}.height"] + found[f"{metric}.weight"]) / 2)


@pytest.mark.parametrize(
    ("loss", "shape", "fault"),
    [
        ("cross-entropy", (3,), "Use bce"),
        ("mse", (3,), "Use bce"),
        ("auto", (1,), "3 labels"),
        ("bce", (4,), "3 labels"),
    ],
)
def test_a_loss_or_a_net_that_does_not_fit_labels_is_refused(loss: str, shape: tuple[int, ...], fault: str) -> None:
    with pytest.raises(UserError, match=fault):
        choose_loss(LossRecipe(name=loss), task="multi-label", outputs=3, output_shape=shape)
    assert choose_loss(LossRecipe(), task="multi-label", outputs=3, output_shape=(3,)) == "bce"
