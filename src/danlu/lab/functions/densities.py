"""One distribution or two as plot data: where they are drawn, and entropy, cross-entropy and divergence in nats."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import kl_divergence

from danlu.base.errors import fail
from danlu.lab.functions.distribution import DRAWS, Continuous, Discrete
from danlu.stats import (
    cross_entropy,
    entropy,
    gaussian_entropy,
    gaussian_kl,
    kl,
    mixture_cross_entropy,
    mixture_entropy,
    mixture_kl,
)
from danlu.view.info.densities import Amount, Densities, DensityCurve

_POINTS = 601
_INNER, _INNER_OF_HEAVY = 0.001, 0.02  # quantiles between which a density is drawn; tails without a variance are long
_MOST_ERROR = 0.1


def densities(of: Sequence[Discrete | Continuous]) -> Densities:
    """The curves of one distribution, P, or of two, P and Q, and their information. UserError for a continuous one
    beside a discrete one, and for probabilities of different lengths.

    >>> from danlu.lab.functions.distribution import read_distribution
    >>> densities([read_distribution([0.5, 0.5]), read_distribution([0.25, 0.75])]).information["H(P)"].value
    0.6931471805599453
    """
    discrete = [one for one in of if isinstance(one, Discrete)]
    continuous = [one for one in of if isinstance(one, Continuous)]
    if discrete and continuous:
        fail("draw.discrete-and-continuous", discrete=discrete[0].name, continuous=continuous[0].name)
    return _of_discrete(discrete) if discrete else _of_continuous(continuous)


def _of_discrete(of: Sequence[Discrete]) -> Densities:
    lengths = [len(one.values) for one in of if one.source == "probabilities"]
    if len(set(lengths)) > 1:
        fail("stats.shapes-differ", first=[lengths[0]], other=[lengths[1]])
    values = torch.tensor(sorted({value for one in of for value in one.values}), dtype=torch.float64)
    tables = [one.probability(values) for one in of]
    tables = [table / table.sum() for table in tables]
    curves = tuple(
        DensityCurve(one.name, tuple(values.tolist()), tuple(table.tolist()), True, one.source, one.samples)
        for one, table in zip(of, tables, strict=True)
    )
    if len(of) == 1:
        return Densities(curves, {"H(P)": Amount(float(entropy(tables[0])))})
    p, q = tables
    return Densities(
        curves,
        _both(
            [Amount(float(entropy(one))) for one in (p, q)],
            [Amount(float(cross_entropy(*pair))) for pair in ((p, q), (q, p))],
            [Amount(float(kl(*pair))) for pair in ((p, q), (q, p))],
        ),
    )


def _both(own: Sequence[Amount], cross: Sequence[Amount], divergence: Sequence[Amount]) -> dict[str, Amount]:
    names = ("H(P)", "H(P, Q)", "KL(P‖Q)", "H(Q)", "H(Q, P)", "KL(Q‖P)")
    return dict(zip(names, (own[0], cross[0], divergence[0], own[1], cross[1], divergence[1]), strict=True))


def _of_continuous(of: Sequence[Continuous]) -> Densities:
    ranges = [_range(one) for one in of]
    xs = torch.linspace(min(low for low, _ in ranges), max(high for _, high in ranges), _POINTS, dtype=torch.float64)
    curves = tuple(
        DensityCurve(one.name, tuple(xs.tolist()), _heights(one, xs), False, one.source, one.samples, one.bandwidth)
        for one in of
    )
    if len(of) == 1:
        return Densities(curves, {"H(P)": _entropy(of[0])})
    p, q = of
    found = [_apart(p, q), _apart(q, p)]
    own = [_entropy(p), _entropy(q)]
    return Densities(curves, _both(own, [cross for cross, _ in found], [divergence for _, divergence in found]))


def _range(one: Continuous) -> tuple[float, float]:
    try:
        heavy = not torch.isfinite(one.formula.stddev).all()
    except NotImplementedError:
        heavy = True
    inner = _INNER_OF_HEAVY if heavy else _INNER
    ends = torch.tensor([inner, 1 - inner], dtype=torch.float64)
    low, high = one.draw().quantile(ends).tolist()
    margin = 0.1 * (high - low)
    return low - margin, high + margin


def _heights(one: Continuous, xs: Tensor) -> tuple[float, ...]:
    """A density that is infinite at a point is drawn as high as beside it."""
    heights = one.log_density(xs).exp()
    finite = heights[torch.isfinite(heights)]
    return tuple(heights.nan_to_num(posinf=float(finite.max()) if len(finite) else 0.0).tolist())


def _entropy(p: Continuous) -> Amount:
    if p.mixture is not None:
        if len(p.mixture.weights) == 1:
            return Amount(float(gaussian_entropy(float(p.mixture.precisions))))
        return Amount(mixture_entropy(p.mixture).value)
    try:
        return Amount(float(p.formula.entropy()))
    except NotImplementedError:
        return _mean(-p.log_density(p.draw()))


def _apart(p: Continuous, q: Continuous) -> tuple[Amount, Amount]:
    """H(P, Q) and KL(P‖Q): by a formula, by integration, else as a mean over random draws from P."""
    first, second = p.mixture, q.mixture
    if first is not None and second is not None:
        if len(first.weights) == len(second.weights) == 1:
            sizes = [float(number) for one in (first, second) for number in (one.means, one.precisions)]
            divergence = float(gaussian_kl(*sizes))
            return Amount(_entropy(p).value + divergence), Amount(divergence)
        return Amount(mixture_cross_entropy(first, second).value), Amount(mixture_kl(first, second).value)
    try:
        divergence = float(kl_divergence(p.formula, q.formula))
        return Amount(float(p.formula.entropy()) + divergence), Amount(divergence)
    except NotImplementedError:
        x = p.draw()
        cost = -q.log_density(x)
        return _mean(cost), _mean(p.log_density(x) + cost)


def _mean(terms: Tensor) -> Amount:
    """Infinite where a term is; not a number where the draws do not settle it, as where a tail decides."""
    if not torch.isfinite(terms).all():
        return Amount(float("inf"))
    mean, error = float(terms.mean()), float(terms.std()) / DRAWS**0.5
    return Amount(mean, error) if error < _MOST_ERROR * max(1.0, abs(mean)) else Amount(float("nan"))
