"""Distributions: what numbers are taken for, and entropy, cross-entropy and divergence against their formulas."""

import math
from typing import Any

import numpy
import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Cauchy,
    Dirichlet,
    Exponential,
    Gamma,
    Geometric,
    Gumbel,
    Laplace,
    LogNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Poisson,
    StudentT,
    Uniform,
)

import danlu
from danlu.lab.functions.densities import densities
from danlu.lab.functions.distribution import Discrete, read_distribution
from danlu.stats import Mixture
from danlu.view.info.densities import Densities

TWO_HUMPS = MixtureSameFamily(Categorical(torch.ones(2)), Normal(torch.tensor([-2.0, 2.0]), torch.tensor([0.5, 1.0])))
CONTINUOUS: list[Any] = [
    Normal(1.0, 2.0), Laplace(0.0, 1.0), Cauchy(0.0, 1.0), Gamma(2.0, 1.0), Uniform(-1.0, 3.0), Beta(2.0, 5.0),
    Exponential(2.0), LogNormal(0.0, 0.5), StudentT(5.0), Gumbel(0.0, 1.0), TWO_HUMPS,
    Mixture([0.3, 0.7], [0.0, 3.0], [1.0, 4.0]), Normal(torch.tensor([0.0]), torch.tensor([1.0])),
]  # fmt: skip
DISCRETE: list[Any] = [
    Bernoulli(0.3), Binomial(10, torch.tensor(0.3)), Poisson(3.0), Geometric(torch.tensor(0.4)),
    Categorical(torch.tensor([1.0, 2.0, 3.0])), [0.2, 0.5, 0.3], [1, 1, 2, 5],
]  # fmt: skip


def read(*given: Any, kind: str | None = None) -> Densities:
    return densities([read_distribution(one, kind) for one in given])


@pytest.mark.parametrize("given", CONTINUOUS, ids=str)
def test_a_density_holds_nearly_all_of_it_and_its_entropy_is_the_integral(given: Any) -> None:
    found = read(given)
    (curve,) = found.curves
    x, y = (torch.tensor(numbers, dtype=torch.float64) for numbers in (curve.xs, curve.heights))
    assert float(torch.trapezoid(y, x)) == pytest.approx(1, abs=0.06)
    if isinstance(given, Cauchy):
        assert found.information["H(P)"].value == pytest.approx(math.log(4 * math.pi), abs=1e-5)
    else:
        told = found.information["H(P)"]
        assert told.value == pytest.approx(float(torch.trapezoid(-torch.xlogy(y, y), x)), abs=0.04 + 4 * told.error)


@pytest.mark.parametrize("given", DISCRETE, ids=str)
def test_probabilities_add_up_and_their_entropy_is_the_sum(given: Any) -> None:
    found = read(given)
    heights = numpy.array(found.curves[0].heights)
    assert heights.sum() == pytest.approx(1)
    assert found.information["H(P)"].value == pytest.approx(-(heights * numpy.log(heights)).sum(), abs=1e-6)


@pytest.mark.every(3)
@pytest.mark.parametrize("first", CONTINUOUS, ids=str)
def test_cross_entropy_is_entropy_plus_divergence(first: Any) -> None:
    for other in (Normal(0.0, 1.5), Laplace(0.5, 1.0), TWO_HUMPS):
        told = read(first, other).information
        for own, cross, divergence in (("H(P)", "H(P, Q)", "KL(P‖Q)"), ("H(Q)", "H(Q, P)", "KL(Q‖P)")):
            sums = told[own].value + told[divergence].value
            slack = 5 * sum(told[name].error for name in (own, cross, divergence))
            if math.isfinite(told[cross].value) and math.isfinite(told[divergence].value):
                assert told[cross].value == pytest.approx(sums, abs=1e-4 + slack)
                assert told[divergence].value > -1e-6 - slack


def test_gaussians_by_their_formula() -> None:
    told = read(Normal(0.0, 1.0), Normal(1.0, 2.0)).information
    assert told["KL(P‖Q)"].value == pytest.approx(math.log(2) + (1 + 1) / 8 - 0.5)
    assert told["H(P)"].value == pytest.approx(0.5 * math.log(2 * math.pi * math.e))
    assert told["H(P, Q)"].value == pytest.approx(told["H(P)"].value + told["KL(P‖Q)"].value)


def test_where_the_other_has_nothing_the_divergence_is_infinite() -> None:
    assert read([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]).information["KL(P‖Q)"].value == math.inf
    assert read(Normal(0.0, 1.0), Exponential(1.0)).information["KL(P‖Q)"].value == math.inf
    assert read(Poisson(2.0), Bernoulli(0.5)).information["H(P, Q)"].value == math.inf


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("numbers", "source"),
    [
        ([0.5, 0.5], "probabilities"), ([1.0, 0.0], "probabilities"), (torch.tensor([0.25] * 4), "probabilities"),
        ([0, 1], "counts"), (numpy.array([3, 3, 1]), "counts"), ([True, False], "counts"),
        ([0.5, 0.6], "samples"), ([1.5, -0.5], "samples"), (torch.randn(50), "samples"),
        (torch.tensor([0.1, 0.9], dtype=torch.float16), "samples"),
    ],
)  # fmt: skip
def test_what_numbers_are_taken_for(numbers: Any, source: str) -> None:
    if source == "samples" and isinstance(numbers, torch.Tensor) and numbers.dtype == torch.float16:
        numbers = numbers + 0.5
    assert read_distribution(numbers).source == source
    chart = danlu.draw(numbers).file_content(".svg").decode()
    assert {"probabilities": "probabilities", "counts": "frequencies", "samples": "kernel"}[source] in chart


def test_the_kind_says_which_they_are() -> None:
    assert read_distribution([0.5, 0.25, 0.25], "samples").source == "samples"
    one = read_distribution([1, 0], "probabilities")
    assert isinstance(one, Discrete)
    assert one.source == "probabilities"
    with pytest.raises(danlu.UserError, match="add up|sum"):
        danlu.draw([0.5, 0.6], kind="probabilities")


@pytest.mark.every(2)
def test_two_are_given_as_a_list_or_one_after_the_other(language: str) -> None:
    p, q = Normal(0.0, 1.0), torch.linspace(-1, 2, 40)
    assert danlu.draw([p, q]).file_content(".svg") == danlu.draw(p, q).file_content(".svg")
    svg = danlu.draw(p, q).file_content(".svg").decode()
    assert "KL(P‖Q)" in svg
    assert ("核密度" if language == "zh" else "kernel density") in svg


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[0.5, 0.5], [0.2, 0.3, 0.5]], "do not fit"),
        ([[0.5, 0.5], Normal(0.0, 1.0)], "discrete"),
        ([Normal(0.0, 1.0)] * 3, "at most two"),
        (Dirichlet(torch.ones(3)), "one number"),
        (MultivariateNormal(torch.zeros(2), torch.eye(2)), "one number"),
        (Normal(torch.zeros(4), 1.0), "one number"),
        (numpy.ones((3, 3)), "one row"),
        (numpy.array(["a", "b"]), "type"),
        ([1.0, math.nan, math.inf], "2 of 3"),
        (torch.ones(5), "All 5 samples are 1"),
        (numpy.arange(5000), "5,000 different values"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_one_sentence(given: Any, words: str) -> None:
    with pytest.raises(danlu.UserError, match=words):
        danlu.draw(given)


def test_neither_samples_nor_generators_are_changed() -> None:
    torch.manual_seed(3)
    x, state = torch.randn(30), torch.get_rng_state()
    before = x.clone()
    danlu.draw([x, StudentT(4.0)]).file_content(".svg")
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_loss_is_still_a_loss() -> None:
    weight = torch.ones(2, requires_grad=True)
    with pytest.raises(danlu.UserError, match="mean or its sum"):
        danlu.draw(weight * 2)
    assert "<svg" in danlu.draw((weight * 2).sum()).file_content(".svg").decode()
