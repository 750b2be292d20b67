"""Exponential smoothing, which shows where a noisy curve goes."""

from collections.abc import Iterable


def smooth(values: Iterable[float], beta: float, before: float | None = None) -> list[float]:
    """C'ᵢ = β·Cᵢ + (1-β)·C'ᵢ₋₁, starting at the first value, or going on from `before`.

    >>> smooth([1.0, 0.0, 0.0], beta=0.5)
    [1.0, 0.5, 0.25]
    """
    smoothed: list[float] = []
    for value in values:
        before = value if before is None else beta * value + (1 - beta) * before
        smoothed.append(before)
    return smoothed
