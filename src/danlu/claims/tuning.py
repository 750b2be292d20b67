"""The nuisance setting of a claim, the learning rate: searched for each level, with the same budget for all."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from danlu.claims.training import Measure, Training

MOST_GROWTHS = 4
"""How often a grid grows before its claim is given up as not tested."""

Search = Callable[[Sequence[float]], Mapping[str, Mapping[float, Sequence[Training]]]]
"""Trains further rates: by level, by rate, the trainings."""


@dataclass(frozen=True)
class Tuned:
    """The best rate of each level, and the `grid` that it was chosen from, the same for all; the levels whose optimum
    still lay `at_edge`, and how many trainings each level was given."""

    best: Mapping[str, float]
    grid: tuple[float, ...]
    at_edge: tuple[str, ...]
    trainings: int


def tune(search: Search, grid: Sequence[float], measure: Measure, *, growths: int = MOST_GROWTHS) -> Tuned:
    """Find the best rate of each level by the mean of `measure` over the trainings at it. While the optimum of any
    level lies at an end of the grid, it grows there, for all levels, by the factor between its rates.

    >>> def parabola(rates):  # best at 0.3, which the grid does not hold at first
    ...     loss = lambda rate: {"loss": math.log(rate / 0.3) ** 2}
    ...     return {"a": {rate: [Training(0, rate, loss(rate), [], [], [], 1)] for rate in rates}}
    >>> from danlu.claims.training import LOSS
    >>> tuned = tune(parabola, [0.003, 0.01, 0.03], LOSS)
    >>> round(tuned.best["a"], 2), len(tuned.grid), tuned.at_edge
    (0.27, 6, ())
    """
    rates = sorted(grid)
    merits = _merits(search(rates), measure)
    for _ in range(growths):
        ends = _ends(merits, rates)
        lower = [_rounded(rates[0] * rates[0] / rates[1])] if 0 in ends.values() else []
        upper = [_rounded(rates[-1] * rates[-1] / rates[-2])] if len(rates) - 1 in ends.values() else []
        if not lower + upper:
            break
        for level, found in _merits(search(lower + upper), measure).items():
            merits[level] |= found
        rates = lower + rates + upper
    ends = _ends(merits, rates)
    best = {level: rates[_best(found, rates)] for level, found in merits.items()}
    return Tuned(best, tuple(rates), tuple(level for level in ends), len(rates))


def _rounded(rate: float) -> float:
    return float(f"{rate:.3g}")


def _merits(found: Mapping[str, Mapping[float, Sequence[Training]]], measure: Measure) -> dict[str, dict[float, float]]:
    return {
        level: {rate: sum(map(measure.merit, trials)) / len(trials) for rate, trials in by_rate.items()}
        for level, by_rate in found.items()
    }


def _best(merits: Mapping[float, float], rates: Sequence[float]) -> int:
    """The place of the best rate; of several equally good ones, the one nearest to the middle."""
    top = max(merits.values())
    middle = (len(rates) - 1) / 2
    return min(
        (place for place, rate in enumerate(rates) if merits[rate] == top), key=lambda place: abs(place - middle)
    )


def _ends(merits: Mapping[str, Mapping[float, float]], rates: Sequence[float]) -> dict[str, int]:
    """The levels whose best rate lies at an end of the grid; one at which nothing trained has no optimum to seek."""
    places = {level: _best(found, rates) for level, found in merits.items() if max(found.values()) > -math.inf}
    return {level: place for level, place in places.items() if place in (0, len(rates) - 1)}
