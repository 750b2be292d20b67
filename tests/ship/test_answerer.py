"""Probabilities, labels and numbers of a net with its preprocessing."""

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.data.preprocessing import Preprocessing
from danlu.ship import Answerer, ErrorBand


def answerer(data: Any, net: nn.Module) -> Answerer:
    return Answerer(Preprocessing.of(data), net.eval(), torch.float32)


class OneLogit(nn.Module):
    """The first feature as the one logit of the second class."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :1]


def two_classes() -> Any:
    x = numpy.random.default_rng(0).normal(size=(40, 2))
    return danlu.load((x, numpy.array(["no", "yes"])[(x[:, 0] > 0).astype(int)]), standardise=False)


def flowers() -> Any:
    x = numpy.random.default_rng(0).normal(5, 1, size=(60, 4))
    return danlu.load((x, numpy.array(["setosa", "versicolor", "virginica"])[numpy.arange(60) % 3]))


def test_probabilities_sum_to_one_and_the_likeliest_is_the_answer() -> None:
    iris = flowers()
    asked = answerer(iris, nn.Linear(4, 3))
    rows = [[5.1, 3.5, 4.4, 4.2], [6.7, 4.0, 5.2, 5.3]]
    likely = asked.predict_proba(rows)
    assert likely.shape == (2, 3)
    assert torch.allclose(likely.sum(1), torch.ones(2, dtype=torch.float64))
    assert [iris.classes[place] for place in likely.argmax(1).tolist()] == asked.predict(rows).tolist()


def test_one_logit_is_the_second_class() -> None:
    asked = answerer(two_classes(), OneLogit())
    likely = asked.predict_proba([[2.0, 0.0], [-2.0, 0.0]])
    assert likely[:, 1].tolist() == pytest.approx([0.880797, 0.119203], abs=1e-6)
    assert asked.predict([[2.0, 0.0], [-2.0, 0.0]]).tolist() == ["yes", "no"]


def test_a_regression_has_no_probabilities() -> None:
    with pytest.raises(UserError, match="regression"):
        answerer(danlu.load("diabetes"), nn.Linear(10, 1)).predict_proba(numpy.zeros((1, 10)))


def test_answers_do_not_depend_on_how_many_samples_come_together() -> None:
    asked = answerer(flowers(), nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)))
    rows = numpy.random.default_rng(1).normal(5, 1, size=(2500, 4))
    alone = torch.cat([asked.predict_proba(rows[row : row + 1]) for row in (0, 1023, 1024, 2499)])
    assert torch.allclose(asked.predict_proba(rows)[[0, 1023, 1024, 2499]], alone, atol=1e-6)


@pytest.mark.parametrize(
    ("predicted", "actual", "band"),
    [
        ([0.0] * 19, [1.0] * 19, None),
        ([0.0] * 20, [float("nan"), *range(19)], None),
        ([1.0] * 20, [2.0] * 20, ErrorBand(1.0, 1.0, 20)),
    ],
)
def test_an_error_band_needs_twenty_finite_errors(predicted: Any, actual: Any, band: ErrorBand | None) -> None:
    assert ErrorBand.of(predicted, actual) == band


def test_nine_of_ten_true_values_lie_within_the_band() -> None:
    draw: Callable[..., Any] = numpy.random.default_rng(0).normal
    band = ErrorBand.of([0.0] * 2000, draw(0, 1, 2000).tolist())
    assert band is not None
    within = [band.low <= value <= band.high for value in draw(0, 1, 4000).tolist()]
    assert sum(within) / len(within) == pytest.approx(0.9, abs=0.02)
