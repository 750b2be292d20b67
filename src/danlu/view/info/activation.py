"""An activation function with its slope, and where the slope is so small that hardly any gradient gets through."""

from collections.abc import Sequence
from dataclasses import dataclass

FLAT = 0.05
"""A slope below it counts as flat: three such layers in a row leave about a ten-thousandth of the gradient."""


@dataclass(frozen=True)
class ActivationCurve:
    """The function called `name` at `xs`, ascending: its `values` and its `slopes`."""

    name: str
    xs: tuple[float, ...]
    values: tuple[float, ...]
    slopes: tuple[float, ...]

    @property
    def steepest(self) -> tuple[float, float]:
        """(x, slope) where the slope is largest; of several the one nearest to 0."""
        most = max(self.slopes)
        near = [x for x, slope in zip(self.xs, self.slopes, strict=True) if slope >= most - 1e-6 * abs(most)]
        x = min(near, key=abs)
        return x, self.slopes[self.xs.index(x)]


def flat_zones(xs: Sequence[float], slopes: Sequence[float], below: float = FLAT) -> list[tuple[float, float]]:
    """The stretches of `xs`, ascending, on which every slope is closer to 0 than `below`, as (from, to); a single point
    is none.

    >>> flat_zones([0.0, 1.0, 2.0, 3.0], [0.0, 0.01, 1.0, 0.02])
    [(0.0, 1.0)]
    """
    zones: list[tuple[float, float]] = []
    begun: float | None = None
    last = 0.0
    for x, slope in zip(xs, slopes, strict=True):
        if abs(slope) < below:
            begun = x if begun is None else begun
            last = x
        elif begun is not None:
            zones.append((begun, last))
            begun = None
    if begun is not None:
        zones.append((begun, last))
    return [(low, high) for low, high in zones if low < high]
