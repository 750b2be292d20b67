"""The smoothed cost c'(i) = β c'(i-1) + (1 - β) c(i) has the same trend and less scatter around it: the variance of
white noise falls to (1 - β) / (1 + β) of what it was, and a constant stays where it is."""

from collections.abc import Sequence

import numpy
import torch

from danlu.base.seeds import stream
from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot

_BETA = 0.9


def smoothed(values: numpy.ndarray, beta: float) -> numpy.ndarray:
    """The exponential moving average of `values` [n], which begins at the first of them."""
    kept = numpy.empty_like(values)
    average = values[0]
    for place, value in enumerate(values):
        average = beta * average + (1 - beta) * value
        kept[place] = average
    return kept


def _noise(length: int) -> numpy.ndarray:
    return torch.randn(length, dtype=torch.float64, generator=stream(0, "smoothing")).numpy()


def _checks() -> dict[str, float]:
    # What a single cost adds to the smoothed ones after it: noise that is independent from step to step has the sum of
    # their squares as variance.
    weights = smoothed(numpy.concatenate([[0.0], [1.0], numpy.zeros(2000)]), _BETA)
    constant = smoothed(numpy.full(100, 0.7), _BETA)
    # On a straight line the average runs behind by β / (1 - β) steps, and is as steep.
    line = smoothed(numpy.arange(2000.0), _BETA)
    behind = numpy.arange(2000.0) - line
    return {
        "noise-lowered": abs(float((weights**2).sum()) - (1 - _BETA) / (1 + _BETA)),
        "constant-kept": float(numpy.abs(constant - 0.7).max()),
        "slope-kept": abs(float(line[-1] - line[-2]) - 1),
        "lag": abs(float(behind[-1]) - _BETA / (1 - _BETA)),
    }


def _figure() -> Sequence[Plot]:
    steps = numpy.arange(400)
    cost = numpy.exp(-steps / 120) + 0.15 * _noise(400)
    values = [CurveData("cost", steps.tolist(), cost.tolist())]
    return [Plot("step", "loss", [*values, CurveData("smoothed", steps.tolist(), smoothed(cost, _BETA).tolist())])]


SMOOTHING_SHOWS_THE_TREND = IdentityClaim(
    "smoothing-shows-the-trend",
    {"noise-lowered": 1e-12, "constant-kept": 1e-12, "slope-kept": 1e-9, "lag": 1e-9},
    _checks,
    _figure,
)
