"""Entropies and divergences against scipy's and against the textbook's formulas."""

import math

import numpy
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.base.words import use_language
from danlu.stats import BITS, cross_entropy, entropy, gaussian_entropy, gaussian_kl, kl, perplexity

WEIGHTS = st.lists(st.floats(0.01, 10), min_size=4, max_size=4)


@given(WEIGHTS, WEIGHTS)
def test_cross_entropy_is_entropy_plus_divergence_which_is_never_negative(p: list[float], q: list[float]) -> None:
    first, second = numpy.array(p) / sum(p), numpy.array(q) / sum(q)
    assert entropy(first).item() == pytest.approx(scipy.stats.entropy(first), abs=1e-12)
    assert kl(first, second).item() == pytest.approx(scipy.stats.entropy(first, second), abs=1e-9)
    assert kl(first, second).item() >= 0
    total = entropy(first) + kl(first, second)
    assert cross_entropy(first, second).item() == pytest.approx(total.item(), abs=1e-9)
    assert kl(first, first).item() == pytest.approx(0, abs=1e-12)


def test_units_batches_and_zeros() -> None:
    table = torch.tensor([[0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]])
    assert entropy(table, unit=BITS).tolist() == [2.0, 0.0]
    assert cross_entropy(table[0], table[1]).item() == math.inf
    assert perplexity(entropy(table[0])).item() == pytest.approx(4)
    assert perplexity(2.0, unit=BITS).item() == pytest.approx(4)


def test_gaussians_by_precision_match_the_formulas() -> None:
    generator = numpy.random.default_rng(0)
    root = generator.normal(size=(3, 3))
    precision = root @ root.T + numpy.eye(3)
    reference = scipy.stats.multivariate_normal(cov=numpy.linalg.inv(precision)).entropy()
    assert gaussian_entropy(precision).item() == pytest.approx(reference)
    mean_p, mean_q, other = numpy.zeros(3), generator.normal(size=3), 2.0 * numpy.eye(3)
    covariance = numpy.linalg.inv(precision)
    expected = 0.5 * (
        numpy.trace(other @ covariance)
        + (mean_q - mean_p) @ other @ (mean_q - mean_p)
        - 3
        + numpy.log(numpy.linalg.det(precision) / numpy.linalg.det(other))
    )
    assert gaussian_kl(mean_p, precision, mean_q, other).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "english", "chinese"),
    [
        (lambda: entropy([0.5, 0.6]), "p is not a distribution.*1.1", "p 不是概率分布"),
        (lambda: entropy([-0.5, 1.5]), "least is -0.5", "最小值是 -0.5"),
        (lambda: entropy(1.0), "must be probabilities", "应为概率"),
        (lambda: kl([0.5, 0.5], [1.0]), "do not fit", "不匹配"),
        (lambda: gaussian_entropy([1.0, 2.0]), "square matrix", "方阵"),
        (lambda: gaussian_entropy([[1.0, 2.0], [2.0, 1.0]]), "positive definite", "正定"),
    ],
)
def test_what_is_no_distribution_is_told(call: object, english: str, chinese: str) -> None:
    for language, words in (("en", english), ("zh", chinese)):
        use_language(language)
        with pytest.raises(UserError, match=words):
            call()  # type: ignore[operator]
