"""Distributions on a line: torch's, danlu's mixtures, samples and probabilities, all read into one of two forms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy
import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal

from danlu.base.errors import fail
from danlu.base.seeds import global_seed
from danlu.stats import Mixture
from danlu.view.figures.names import short

SOURCES = ("samples", "probabilities")
"""What numbers can be: kinds of picture that say so where danlu would take them for the other."""

DRAWS = 2**16
_MOST_VALUES = 1000
_BINS = 1024  # into which samples are counted before each bin gets a kernel
_NARROWEST = 1 / 512  # of the range of the samples: no kernel is narrower
_MISSING = 1e-6  # of the probability may lie beyond the values that are looked at


@dataclass(frozen=True)
class Discrete:
    """`values` hold all of the probability; `probability` gives it for any points [N] as [N]."""

    name: str
    values: tuple[float, ...]
    probability: Callable[[Tensor], Tensor]
    source: str = ""
    samples: int = 0


@dataclass(frozen=True)
class Continuous:
    """`formula` draws samples and knows its density; `mixture` is the same as Gaussians, where it consists of such."""

    name: str
    formula: Distribution
    mixture: Mixture | None = None
    source: str = ""
    samples: int = 0
    bandwidth: float = 0.0

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) of points [N], minus infinity where there are none; float64 [N]."""
        return _log_probability(self.formula, x)

    def draw(self) -> Tensor:
        """Random points [DRAWS], always the same."""
        return drawn(self.formula, DRAWS)


def drawn(formula: Distribution, count: int) -> Tensor:
    """Random points, always the same; the user's generators stay as they are. float64 [count]."""
    with global_seed(0, "draw", "distribution"), torch.no_grad():
        return formula.sample((count,)).reshape(-1).double()


def is_distribution(what: object) -> bool:
    """Whether it is a distribution, or numbers that make one: two or more, and no tensor that gradients flow to.

    >>> is_distribution([0.5, 0.5]), is_distribution(torch.ones(3)), is_distribution(torch.ones(1)), is_distribution([])
    (True, True, False, False)
    """
    if isinstance(what, Distribution | Mixture):
        return True
    if isinstance(what, Tensor):
        return what.dim() == 1 and len(what) > 1 and not what.requires_grad
    if isinstance(what, numpy.ndarray):
        return True
    return isinstance(what, list | tuple) and len(cast(Sequence[Any], what)) > 1 and all(map(_is_number, what))


def read_distribution(what: object, kind: str | None = None) -> Discrete | Continuous:
    """What `is_distribution`, read. Numbers that are not whole ones by type, none below 0, and add up to 1 are
    probabilities of 0, 1, 2 …; all others are samples: of whole numbers frequencies are taken, of others a kernel
    density. `kind` ("samples" or "probabilities") says which they are. UserError for what has no density on a line.

    >>> read_distribution([0.5, 0.5]).source, read_distribution([0.5, 0.7]).source, read_distribution([0, 1]).source
    ('probabilities', 'samples', 'counts')
    """
    if isinstance(what, Mixture):
        return Continuous(f"Mixture({len(what.weights)})", _as_torch(what), what)
    if isinstance(what, Distribution):
        return _of_torch(what)
    numbers = _numbers(what)
    whole = not numbers.is_floating_point()
    x = numbers.double()
    if not torch.isfinite(x).all():
        fail("draw.not-finite", found=int((~torch.isfinite(x)).sum()), count=len(x))
    adds_up = not whole and bool((x >= 0).all()) and abs(float(x.sum()) - 1) < _MISSING
    if kind == "probabilities" or (kind != "samples" and adds_up):
        return _of_probabilities(x)
    return _of_counts(x) if whole else _of_samples(x)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | numpy.number)


def _numbers(what: object) -> Tensor:
    """The numbers in one row, by their own type."""
    array = what.detach().cpu().numpy() if isinstance(what, Tensor) else numpy.asarray(what)
    if array.ndim != 1 or len(array) < 2:
        fail("draw.not-a-row", found=list(array.shape))
    if array.dtype.kind not in "biuf":
        fail("draw.not-numbers", found=str(array.dtype))
    return torch.from_numpy(array.astype(numpy.float64 if array.dtype.kind == "f" else numpy.int64))


def _of_probabilities(x: Tensor) -> Discrete:
    total = float(x.sum())
    if (x < 0).any() or abs(total - 1) >= _MISSING:
        fail("stats.not-a-distribution", name="P", least=float(x.min()), total=total)
    return _table(range(len(x)), x / total, "probabilities", 0)


def _of_counts(x: Tensor) -> Discrete:
    values, counts = x.unique(return_counts=True)
    if len(values) > _MOST_VALUES:
        fail("draw.too-many-values", found=len(values), most=_MOST_VALUES)
    return _table(values.tolist(), counts.double() / len(x), "counts", len(x))


def _table(values: Sequence[float], probabilities: Tensor, source: str, samples: int) -> Discrete:
    known = dict(zip(map(float, values), probabilities.tolist(), strict=True))

    def probability(points: Tensor) -> Tensor:
        return torch.tensor([known.get(point, 0.0) for point in points.tolist()], dtype=torch.float64)

    name = {"probabilities": "p", "counts": "f"}[source]
    return Discrete(f"{name}[{len(known)}]", tuple(known), probability, source, samples)


def _of_samples(x: Tensor) -> Continuous:
    """A Gaussian kernel at each of many narrow bins, as wide as Silverman's rule of thumb says (Silverman 1986,
    Density Estimation, equation 3.31)."""
    low, high = float(x.min()), float(x.max())
    if low == high:
        fail("draw.all-the-same", count=len(x), value=short(low))
    lower, upper = numpy.quantile(x.numpy(), (0.25, 0.75))
    deviation = float(x.std())
    width = min(deviation, (upper - lower) / 1.34) if upper > lower else deviation
    bandwidth = max(0.9 * width * len(x) ** -0.2, (high - low) * _NARROWEST)
    counts, edges = numpy.histogram(x.numpy(), bins=_BINS, range=(low, high))
    filled = counts > 0
    centres = ((edges[:-1] + edges[1:]) / 2)[filled]
    mixture = Mixture(counts[filled] / len(x), centres, numpy.full(len(centres), bandwidth**-2))
    return Continuous(f"x[{len(x)}]", _as_torch(mixture), mixture, "samples", len(x), bandwidth)


def _as_torch(mixture: Mixture) -> Distribution:
    parts = Normal(mixture.means, mixture.precisions.rsqrt())
    return MixtureSameFamily(Categorical(probs=mixture.weights), parts)


def _of_torch(formula: Distribution) -> Discrete | Continuous:
    kind = type(formula).__name__
    if len(formula.event_shape) or tuple(formula.batch_shape) not in ((), (1,)):
        fail("draw.not-on-a-line", kind=kind, found=[*formula.batch_shape, *formula.event_shape])
    name = f"{kind}({', '.join(_settings(formula))})"
    if _support(formula).is_discrete:
        return Discrete(name, _values_of(formula, kind), lambda points: _log_probability(formula, points).exp())
    mixture = None
    if isinstance(formula, Normal):
        mixture = Mixture([1.0], formula.loc.double(), formula.scale.double() ** -2)
    elif isinstance(formula, MixtureSameFamily) and isinstance(formula.component_distribution, Normal):
        parts = formula.component_distribution
        weights = formula.mixture_distribution.probs.double().reshape(-1)
        weights = weights / weights.sum()
        means, deviations = (part.double().expand(parts.batch_shape) for part in (parts.loc, parts.scale))
        mixture = Mixture(weights, means, deviations**-2)
    return Continuous(name, formula, mixture)


def _settings(formula: Distribution) -> list[str]:
    """The numbers that it was made with, of those that are single ones."""
    given = {name: vars(formula)[name] for name in formula.arg_constraints if name in vars(formula)}
    given = given or {name: getattr(formula, name, None) for name in formula.arg_constraints}
    return [
        f"{name}={short(float(value))}"
        for name, value in given.items()
        if isinstance(value, Tensor) and value.numel() == 1
    ]


def _support(formula: Distribution) -> Any:
    try:
        return formula.support
    except (NotImplementedError, ValueError):
        fail("draw.no-density", kind=type(formula).__name__)


def _log_probability(formula: Distribution, x: Tensor) -> Tensor:
    """The logarithm of density or probability, minus infinity outside of the support."""
    x = x.double()
    inside = _support(formula).check(x).reshape(-1)
    found = torch.full_like(x, -torch.inf)
    try:
        with torch.no_grad():
            found[inside] = formula.log_prob(x[inside]).double().reshape(-1)
    except NotImplementedError:
        fail("draw.no-density", kind=type(formula).__name__)
    return found


def _values_of(formula: Distribution, kind: str) -> tuple[float, ...]:
    """The values that hold all but a millionth of the probability."""
    if formula.has_enumerate_support:
        values = formula.enumerate_support().reshape(-1).double()
        return tuple(values.tolist())
    seen = drawn(formula, DRAWS)
    low, high = float(seen.min()), float(seen.max())
    reach = high - low + 10
    values = torch.arange(low - reach, high + reach + 1, dtype=torch.float64)
    probabilities = _log_probability(formula, values).exp()
    kept = probabilities > _MISSING / len(values) / 10
    if len(values[kept]) > _MOST_VALUES:
        fail("draw.too-many-values", found=len(values[kept]), most=_MOST_VALUES)
    if float(probabilities[kept].sum()) < 1 - _MISSING:
        fail("draw.too-wide", kind=kind)
    return tuple(values[kept].tolist())
