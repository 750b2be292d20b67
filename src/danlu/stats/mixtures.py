"""Mixtures of Gaussians on a line, whose entropy has no formula: by numbers, with a bound on the error.

The integrands are smooth and fall off faster than any exponential, for which the trapezoid rule over the whole line
converges faster than any power of its step (Trefethen and Weideman 2014, https://doi.org/10.1137/130932132). The step
is halved until two results agree; their difference, what may lie outside, and rounding make the bound.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import Faults
from danlu.stats.information import NATS

# So many standard deviations from every mean a Gaussian's density is below 1e-31 of its peak.
REACH = 12.0
MOST_POINTS = 2**22


@dataclass(frozen=True)
class Estimate:
    """A number that lies within `value` ± `error`."""

    value: float
    error: float


class Mixture:
    """Σ weight_k N(mean_k, 1 / precision_k) on a line; weights [K] that sum to 1, means [K], precisions [K] above 0.

    >>> Mixture([0.5, 0.5], [-1.0, 1.0], [1.0, 1.0]).density(torch.zeros(1)).item() < 0.3
    True
    >>> Mixture([0.5, 0.5], [-1.0, 1.0], [1.0, 1.0])
    Mixture([0.5, 0.5], [-1, 1], [1, 1])
    """

    def __init__(self, weights: Any, means: Any, precisions: Any) -> None:
        self.weights, self.means, self.precisions = (
            torch.as_tensor(values, dtype=torch.float64).reshape(-1) for values in (weights, means, precisions)
        )
        faults = Faults()
        if not len(self.weights) == len(self.means) == len(self.precisions):
            shapes = [len(self.weights), len(self.means), len(self.precisions)]
            faults.add("stats.mixture-lengths", found=shapes)
        total = float(self.weights.sum())
        if (self.weights < 0).any() or not math.isclose(total, 1.0, abs_tol=1e-6):
            least = float(self.weights.min()) if len(self.weights) else 0.0
            faults.add("stats.not-a-distribution", name="weights", least=least, total=total)
        if not (self.precisions > 0).all() or not torch.isfinite(torch.cat([self.means, self.precisions])).all():
            faults.add("stats.mixture-numbers")
        faults.raise_if_any()
        self.weights = self.weights / total

    def __repr__(self) -> str:
        weights, means, precisions = (
            ", ".join(f"{value:.4g}" for value in values.tolist())
            for values in (self.weights, self.means, self.precisions)
        )
        return f"Mixture([{weights}], [{means}], [{precisions}])"

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) of points [N]."""
        spread = (x.double().unsqueeze(1) - self.means).square() * self.precisions
        return torch.logsumexp((self.weights.log() + (self.precisions / (2 * math.pi)).log() / 2) - spread / 2, 1)

    def density(self, x: Tensor) -> Tensor:
        """p(x) of points [N]."""
        return self.log_density(x).exp()

    @property
    def support(self) -> tuple[float, float]:
        """Where all but a vanishing share of it lies."""
        used = self.weights > 0
        reach = REACH / self.precisions[used].sqrt()
        return float((self.means[used] - reach).min()), float((self.means[used] + reach).max())


def mixture_entropy(p: Mixture, *, unit: float = NATS, tolerance: float = 1e-9) -> Estimate:
    """-∫ p log p.

    >>> estimate = mixture_entropy(Mixture([1.0], [3.0], [1.0]))
    >>> abs(estimate.value - 1.4189385332046727) <= estimate.error < 1e-6
    True
    """
    return _scaled(_integrate(p, lambda x: -p.log_density(x), tolerance * unit), unit)


def mixture_cross_entropy(p: Mixture, q: Mixture, *, unit: float = NATS, tolerance: float = 1e-9) -> Estimate:
    """-∫ p log q."""
    return _scaled(_integrate(p, lambda x: -q.log_density(x), tolerance * unit), unit)


def mixture_kl(p: Mixture, q: Mixture, *, unit: float = NATS, tolerance: float = 1e-9) -> Estimate:
    """∫ p log(p / q).

    >>> round(mixture_kl(Mixture([1.0], [0.0], [1.0]), Mixture([1.0], [1.0], [1.0])).value, 9)
    0.5
    """
    return _scaled(_integrate(p, lambda x: p.log_density(x) - q.log_density(x), tolerance * unit), unit)


def _integrate(p: Mixture, cost: Callable[[Tensor], Tensor], tolerance: float) -> Estimate:
    """∫ p(x) cost(x) dx, by steps that begin at the narrowest component's deviation and are halved."""
    low, high = p.support
    used = p.weights > 0
    points = max(64, math.ceil((high - low) * float(p.precisions[used].max().sqrt())))
    before, error = math.inf, math.inf
    value = size = 0.0
    while True:
        x = torch.linspace(low, high, points + 1, dtype=torch.float64)
        terms = p.density(x) * cost(x)
        step = (high - low) / points
        value = float(terms.sum() - (terms[0] + terms[-1]) / 2) * step
        size = float(terms.abs().sum()) * step
        error = abs(value - before)
        # Halving more than squares the error of this rule, so that the last difference bounds it amply.
        if error <= tolerance or 2 * points > MOST_POINTS:
            break
        before, points = value, 2 * points
    edge = float(cost(torch.tensor([low, high], dtype=torch.float64)).abs().max())
    # Beyond REACH deviations a Gaussian has 4e-33 of its mass, where the costs grow as the square of the distance.
    outside = 1e-31 * (1 + edge)
    # A point far from 0 next to a narrow component loses digits when the mean is taken from it.
    lost = 1 + max(abs(low), abs(high)) * float(p.precisions[used].max().sqrt())
    rounding = 8 * torch.finfo(torch.float64).eps * (size + math.sqrt(points)) * lost
    return Estimate(value, error + outside + rounding)


def _scaled(estimate: Estimate, unit: float) -> Estimate:
    return Estimate(estimate.value / unit, estimate.error / unit)
