"""Looking again: how the 5 % of false verdicts are shared by all the times at which a study is looked at.

A study that is looked at after every seed, until it says something, says something false in a fifth of cases if every
look takes 5 %. The looks are therefore known, and share them: each spends, of what is left, nine tenths of the share
of its data that are new (alpha spending, Lan and DeMets 1983, https://doi.org/10.1093/biomet/70.3.659). The first look
of a study takes 4.5 %; a second one with twice the seeds 0.225 %, more strictly than it sounds, because what the first
look has seen counts too. How strict each look must be for that follows from the joint distribution of the means
(Armitage, McPherson and Rowe 1969; Jennison and Turnbull 2000, chapter 7), and is carried over to p-values.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy

_FIRST = 0.9
_POINTS = 201
# At fewer seeds the spread is too uncertain for what earlier looks have seen to be of use: the share is taken as it is.
_SMALL = 10


def look_alpha(looks: Sequence[int], *, least: int = 3, alpha: float = 0.05) -> float:
    """The p-value below which the last of `looks`, given as the number of seeds at each, may decide; 0 for none.

    Looks at fewer than `least` seeds decide nothing and spend nothing, but later data are no longer all new.

    >>> round(look_alpha([10]), 4), round(look_alpha([10, 20]), 4), round(look_alpha([10, 20, 21]), 4)
    (0.045, 0.0055, 0.0027)
    """
    grown: list[int] = []
    for look in looks:
        if look > (grown[-1] if grown else 0):
            grown.append(look)
    return _last_alpha(tuple(grown), least, alpha) if grown and grown[-1] >= least else 0.0


def _last_alpha(looks: tuple[int, ...], least: int, alpha: float) -> float:
    steps: list[tuple[int, float]] = []  # what each look that can decide spends
    left, before, edge = alpha, 0, math.inf
    for look in looks:
        if look >= least:
            spent = _FIRST * left * (look - before) / look
            left -= spent
            steps.append((look, spent))
            edge = _walk(tuple(steps))[0]  # from the first on, so that each finds the one before it remembered
        before = look
    return 2 * float(_special().ndtr(-edge / math.sqrt(before)))


@functools.lru_cache(maxsize=4096)
def _walk(steps: tuple[tuple[int, float], ...]) -> tuple[float, Any, Any]:
    """A normal random walk that ends where it first leaves the edges, which lie so that each step spends its share.

    The last edge, and the density of where the walk is among those that have not ended: points and their weights.
    """
    special = _special()
    time, spent = steps[-1]
    if len(steps) == 1:
        edge = -float(special.ndtri(spent / 2)) * math.sqrt(time)
        points = numpy.linspace(-edge, edge, _POINTS)
        return edge, points, _weights(points, numpy.exp(-(points**2) / (2 * time)) / math.sqrt(2 * math.pi * time))
    _, points, weights = _walk(steps[:-1])
    width = math.sqrt(time - steps[-2][0])
    low, high = 0.0, -float(special.ndtri(spent / 2)) * math.sqrt(time)
    for _ in range(40 if time >= _SMALL else 0):
        middle = (low + high) / 2
        leaves = special.ndtr((-middle - points) / width) + special.ndtr((points - middle) / width)
        low, high = (middle, high) if weights @ leaves > spent else (low, middle)
    new = numpy.linspace(-high, high, _POINTS)
    kernel = numpy.exp(-(((new[:, None] - points) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))
    return high, new, _weights(new, kernel @ weights)


def _weights(points: Any, density: Any) -> Any:
    """The density times the length that each point stands for (trapezoidal rule)."""
    weights = density * (points[1] - points[0])
    weights[[0, -1]] /= 2
    return weights


def _special() -> Any:
    from scipy import special  # here, because it takes long to import

    return special
