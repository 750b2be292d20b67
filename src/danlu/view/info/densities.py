"""One distribution, or two, as curves or columns, and the information that they hold about each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

P, Q = "P", "Q"
"""What the first and the second distribution of a picture are called."""


@dataclass(frozen=True)
class DensityCurve:
    """`heights` over `xs`, ascending: a density, or where `discrete` the probabilities of values."""

    name: str
    xs: tuple[float, ...]
    heights: tuple[float, ...]
    discrete: bool = False
    source: str = ""  # "" a formula, "samples" a kernel density of samples, "counts" frequencies, "probabilities"
    samples: int = 0
    bandwidth: float = 0.0


@dataclass(frozen=True)
class Amount:
    """An information in nats; `error` is the standard error of an estimate from random draws, 0 where it is exact."""

    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Densities:
    """`curves` has P, or P and Q; `information` by its formula, such as "H(P)" or "KL(P‖Q)", in nats."""

    curves: tuple[DensityCurve, ...]
    information: Mapping[str, Amount] = field(default_factory=dict[str, Amount])
