"""H(P, Q) = H(P) + KL(P‖Q), KL ≥ 0, and 0 only where P = Q: of classes exactly, of normal distributions by formula, of
mixtures by integration."""

from collections.abc import Sequence

import numpy
import torch

from danlu.base.seeds import stream
from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot
from danlu.stats import cross_entropy, entropy, gaussian_entropy, gaussian_kl, kl


def _shares(count: int) -> numpy.ndarray:
    """Distributions over seven classes, [count, 7]."""
    logits = torch.randn(count, 7, dtype=torch.float64, generator=stream(0, "entropy-plus-kl"))
    return torch.softmax(2 * logits, 1).numpy()


def _density(x: numpy.ndarray, parts: Sequence[tuple[float, float, float]]) -> numpy.ndarray:
    """Of a mixture of normal distributions: (weight, mean, deviation) of each."""
    return sum(
        weight * numpy.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * (2 * numpy.pi) ** 0.5)
        for weight, mean, deviation in parts
    )  # type: ignore[return-value]


_P = ((0.3, -2.0, 0.7), (0.7, 1.0, 1.2))
_Q = ((0.5, -1.0, 1.0), (0.5, 2.0, 1.5))


def _integrals() -> tuple[float, float, float]:
    """H(P), H(P, Q) and KL(P‖Q) of two mixtures, in nats, by the trapezoid rule on a fine grid."""
    x = numpy.linspace(-25, 25, 200_001)
    p, q = _density(x, _P), _density(x, _Q)
    inside = p > 0
    p, q, x = p[inside], q[inside], x[inside]
    rows = (-p * numpy.log(p), -p * numpy.log(q), p * numpy.log(p / q))
    h, cross, divergence = (float(numpy.trapezoid(row, x)) for row in rows)
    return h, cross, divergence


def _checks() -> dict[str, float]:
    pairs = list(zip(_shares(200)[:100], _shares(200)[100:], strict=True))
    classes = [abs(float(cross_entropy(p, q) - entropy(p) - kl(p, q))) for p, q in pairs]
    least = min(float(kl(p, q)) for p, q in pairs)
    same = max(abs(float(kl(p, p))) for p, _ in pairs)
    # Of N(0, 1) and N(1, 2): H(P, Q) = ½ log(2π σ²) + (1 + (μ₁ - μ₂)²) / 2σ².
    cross = 0.5 * numpy.log(2 * numpy.pi * 4.0) + (1 + 1) / 8
    normal = abs(cross - float(gaussian_entropy(1.0) + gaussian_kl(0.0, 1.0, 1.0, 0.25)))  # by precisions
    h, crossed, divergence = _integrals()
    return {
        "classes": max(classes),
        "kl-not-negative": max(0.0, -least),
        "kl-of-equals": same,
        "normal": float(normal),
        "mixtures": abs(crossed - h - divergence) if divergence > 0 else float("nan"),
    }


def _figure() -> Sequence[Plot]:
    x = numpy.linspace(-6, 8, 281)
    p, q = _density(x, _P), _density(x, _Q)
    densities = [CurveData("P", x.tolist(), p.tolist()), CurveData("Q", x.tolist(), q.tolist())]
    between = CurveData("kl-integrand", x.tolist(), (p * numpy.log(p / q)).tolist())
    return [Plot("x", "density", densities), Plot("x", "kl-integrand", [between])]


CROSS_ENTROPY_IS_ENTROPY_PLUS_KL = IdentityClaim(
    "cross-entropy-is-entropy-plus-kl",
    {"classes": 1e-12, "kl-not-negative": 1e-12, "kl-of-equals": 1e-12, "normal": 1e-12, "mixtures": 1e-9},
    _checks,
    _figure,
)
