"""Mixtures: the stated bound holds, against formulas and against scipy's quadrature."""

import math

import pytest
import torch
from scipy.integrate import quad

from danlu.base.errors import UserError
from danlu.stats import BITS, Mixture, gaussian_kl, mixture_cross_entropy, mixture_entropy, mixture_kl


@pytest.mark.parametrize("precision", [1e-4, 1.0, 1e6])
def test_one_component_has_a_formula(precision: float) -> None:
    exact = 0.5 * math.log(2 * math.pi * math.e / precision)
    found = mixture_entropy(Mixture([1.0], [5.0], [precision]))
    assert abs(found.value - exact) <= found.error <= 1e-6
    first, second = Mixture([1.0], [0.0], [precision]), Mixture([1.0], [0.5 / precision**0.5], [precision])
    divergence = mixture_kl(first, second)
    wanted = gaussian_kl(0.0, precision, 0.5 / precision**0.5, precision).item()
    assert abs(divergence.value - wanted) <= divergence.error


def test_two_components_equal_scipys_quadrature() -> None:
    p = Mixture([0.3, 0.7], [-2.0, 1.0], [4.0, 0.5])
    q = Mixture([0.5, 0.5], [-1.0, 2.0], [1.0, 1.0])

    def integrand(x: float) -> float:
        point = torch.tensor([x], dtype=torch.float64)
        return float(p.density(point) * (p.log_density(point) - q.log_density(point)))

    reference, _ = quad(integrand, -20, 20, points=[-2, 1], epsabs=1e-12, limit=200)
    found = mixture_kl(p, q)
    assert found.value == pytest.approx(reference, abs=1e-8)
    assert found.error < 1e-6
    parts = mixture_cross_entropy(p, q).value - mixture_entropy(p).value
    assert parts == pytest.approx(found.value, abs=1e-8)
    assert mixture_kl(p, q, unit=BITS).value == pytest.approx(found.value / math.log(2), abs=1e-8)


def test_a_mixture_that_is_none_is_told_whole() -> None:
    with pytest.raises(UserError, match=r"(?s)weights is not a distribution.*finite means"):
        Mixture([0.5, 0.6], [0.0, 1.0], [1.0, -1.0])
    with pytest.raises(UserError, match="as many weights"):
        Mixture([1.0], [0.0, 1.0], [1.0, 1.0])
