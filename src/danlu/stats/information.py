"""Information of distributions that have a formula: categorical ones, and Gaussians by mean and precision.

Everything is in nats; `unit=BITS` gives bits. Cover and Thomas, Elements of Information Theory, chapters 2 and 8.
"""

import math
from typing import Any

import numpy
import torch
from torch import Tensor
from torch.distributions import Categorical, MultivariateNormal, kl_divergence

from danlu.base.errors import fail

NATS, BITS = 1.0, math.log(2)


def entropy(p: Any, *, unit: float = NATS) -> Tensor:
    """H(p) = -Σ p log p of probabilities [..., C] that sum to 1 along the last axis: float64 [...]. 0 · log 0 is 0.

    >>> entropy([0.5, 0.5], unit=BITS).item()
    1.0
    """
    p = _probabilities("p", p)
    return -torch.xlogy(p, p).sum(-1) / unit


def cross_entropy(p: Any, q: Any, *, unit: float = NATS) -> Tensor:
    """H(p, q) = -Σ p log q: what a code made for q costs where p is true. Infinite where q is 0 and p is not.

    >>> cross_entropy([1.0, 0.0], [0.25, 0.75], unit=BITS).item()
    2.0
    """
    p, q = _pair(p, q)
    return -torch.xlogy(p, q).sum(-1) / unit


def kl(p: Any, q: Any, *, unit: float = NATS) -> Tensor:
    """KL(p ‖ q) = Σ p log(p / q), 0 or more, and 0 only where both are the same.

    >>> kl([0.5, 0.5], [0.5, 0.5]).item(), kl([1.0, 0.0], [0.0, 1.0]).item()
    (0.0, inf)
    """
    p, q = _pair(p, q)
    return kl_divergence(Categorical(probs=p), Categorical(probs=q)).clamp_min(0) / unit


def perplexity(loss: Any, *, unit: float = NATS) -> Tensor:
    """exp of a mean cross-entropy a token (in nats; in bits with `unit`): as many tokens, equally likely, would be as
    hard to guess.

    >>> perplexity(entropy([0.25] * 4)).item()
    4.0
    """
    return torch.exp(torch.as_tensor(loss, dtype=torch.float64) * unit)


def gaussian_entropy(precision: Any, *, unit: float = NATS) -> Tensor:
    """(d log 2πe - log det Λ) / 2 of a Gaussian with precision Λ: a number (one dimension) or a matrix [..., d, d].

    >>> round(gaussian_entropy(1.0).item(), 4)
    1.4189
    """
    precision = _precision("precision", precision)
    return _gaussian(torch.zeros(precision.shape[-1], dtype=torch.float64), precision).entropy() / unit


def gaussian_kl(mean_p: Any, precision_p: Any, mean_q: Any, precision_q: Any, *, unit: float = NATS) -> Tensor:
    """KL(p ‖ q) of two Gaussians by their means [..., d] and precisions [..., d, d] (or numbers, in one dimension).

    >>> gaussian_kl(0.0, 1.0, 1.0, 1.0).item()
    0.5
    """
    p = _gaussian(_mean(mean_p), _precision("precision_p", precision_p))
    q = _gaussian(_mean(mean_q), _precision("precision_q", precision_q))
    if p.event_shape != q.event_shape:
        fail("stats.shapes-differ", first=list(p.event_shape), other=list(q.event_shape))
    return kl_divergence(p, q) / unit


def _gaussian(mean: Tensor, precision: Tensor) -> MultivariateNormal:
    if mean.shape[-1] != precision.shape[-1]:
        fail("stats.shapes-differ", first=list(mean.shape), other=list(precision.shape))
    return MultivariateNormal(mean, precision_matrix=precision)


def _mean(given: Any) -> Tensor:
    mean = torch.as_tensor(given, dtype=torch.float64)
    return mean.unsqueeze(-1) if mean.dim() == 0 else mean


def _precision(name: str, given: Any) -> Tensor:
    matrix = torch.as_tensor(given, dtype=torch.float64)
    if matrix.dim() == 0:
        matrix = matrix.view(1, 1)
    if matrix.dim() < 2 or matrix.shape[-1] != matrix.shape[-2]:
        fail("stats.not-a-matrix", name=name, found=list(matrix.shape))
    symmetric = torch.allclose(matrix, matrix.mT, rtol=1e-9, atol=0)
    if not symmetric or torch.linalg.cholesky_ex(matrix).info.any():
        fail("stats.not-positive-definite", name=name)
    return matrix


def _pair(p: Any, q: Any) -> tuple[Tensor, Tensor]:
    first, second = _probabilities("p", p), _probabilities("q", q)
    if first.shape[-1] != second.shape[-1]:
        fail("stats.shapes-differ", first=list(first.shape), other=list(second.shape))
    return first, second


def _probabilities(name: str, given: Any) -> Tensor:
    array = given.detach().cpu().numpy() if isinstance(given, Tensor) else numpy.asarray(given)
    p = torch.from_numpy(array.astype(numpy.float64))
    if p.dim() == 0 or p.shape[-1] == 0:
        fail("stats.not-probabilities", name=name, found=list(p.shape))
    total = p.sum(-1)
    if not torch.isfinite(p).all() or (p < 0).any() or not torch.allclose(total, torch.ones_like(total), atol=1e-6):
        worst = float(total.flatten()[(total.flatten() - 1).abs().nan_to_num(torch.inf).argmax()])
        fail("stats.not-a-distribution", name=name, least=float(p.min()), total=worst)
    return p / total.unsqueeze(-1)
