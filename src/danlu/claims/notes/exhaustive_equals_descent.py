"""Trying every weight and following the gradient find the same minimum of the linear model: the notes' first example,
y = w x + b through three points, with the cost over (w, b) as a surface and the path of descent upon it."""

from collections.abc import Sequence
from typing import Any

import numpy

from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot

_X, _Y = numpy.array([1.0, 2.0, 3.0]), numpy.array([2.0, 4.0, 6.0])
_WEIGHTS, _BIASES = numpy.linspace(0, 4, 401), numpy.linspace(-2, 2, 401)
_STEP = 0.01  # of both grids
_RATE, _STEPS = 0.1, 2000


def _cost(weight: numpy.ndarray, bias: numpy.ndarray) -> numpy.ndarray:
    """The mean square of the errors, for weights and biases of any shape."""
    errors = weight[..., None] * _X + bias[..., None] - _Y
    return (errors**2).mean(-1)


def _descent() -> list[tuple[float, float]]:
    """(w, b) from (0.2, -1.5) on, a step of gradient descent apart."""
    weight, bias, path = 0.2, -1.5, [(0.2, -1.5)]
    for _ in range(_STEPS):
        errors = weight * _X + bias - _Y
        weight, bias = weight - _RATE * 2 * (errors * _X).mean(), bias - _RATE * 2 * errors.mean()
        path.append((float(weight), float(bias)))
    return path


def _checks() -> dict[str, float]:
    """How far descent ends from the best of all weights tried, where the grid holds the solution (w, b) = (2, 0)."""
    costs = _cost(*numpy.meshgrid(_WEIGHTS, _BIASES))
    row, column = numpy.unravel_index(costs.argmin(), costs.shape)
    weight, bias = _descent()[-1]
    return {"same-minimum": max(abs(float(_WEIGHTS[column]) - weight), abs(float(_BIASES[row]) - bias))}


def _figure() -> Sequence[Plot]:
    weights, biases = _WEIGHTS[::10], _BIASES[::10]
    costs = _cost(*numpy.meshgrid(weights, biases))
    path = _descent()[:200:2]
    steps = CurveData("descent", [weight for weight, _ in path], [bias for _, bias in path])
    surface: dict[str, Any] = {"surface": costs.tolist(), "grid": (weights.tolist(), biases.tolist()), "title": "loss"}
    lowest = CurveData("exhaustive", weights.tolist(), costs.min(0).tolist())
    return [
        Plot("w", "b", [steps], solid=True, **surface),
        Plot("w", "b", [steps], **surface),
        Plot("w", "loss", [lowest]),
    ]


EXHAUSTIVE_EQUALS_DESCENT = IdentityClaim("exhaustive-equals-descent", {"same-minimum": 1e-9}, _checks, _figure)
