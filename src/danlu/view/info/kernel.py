"""The smoothed curve: a line fitted around each step, with weights that fall off like a bell.

Local linear regression with a Gaussian kernel (Cleveland 1979, https://doi.org/10.1080/01621459.1979.10481038; Fan and
Gijbels 1996). Exponential smoothing knows only what came before, and so its curve comes late by 1/β steps after every
jump; this one looks to both sides and comes neither late nor early, at the ends of the curve as well.
"""

import math
from collections.abc import Sequence

import numpy

_FINE = 8  # columns to a standard deviation: more of them would draw the same curve
_REACH = 3  # standard deviations


def sigma_of(beta: float) -> float:
    """The standard deviation, in steps, of exponential smoothing with the share `beta` of the newest number.

    >>> round(sigma_of(0.1), 2), sigma_of(1.0)
    (9.49, 0.0)
    """
    return math.sqrt(1 - beta) / beta


def kernel_smooth(values: Sequence[float | None], sigma: float) -> tuple[list[float], list[float | None]]:
    """The curve smoothed over `sigma` steps: at which places of `values` (from 0), and the numbers there; None where
    `values` has no finite number. A wide kernel gives fewer numbers than there are steps.

    A straight line stays as it is, and no number lies beyond the least and the greatest of `values`.

    >>> [value and round(value, 6) for value in kernel_smooth([1.0, 2.0, None, 4.0], sigma=1.0)[1]]
    [1.0, 2.0, None, 4.0]
    """
    numbers = numpy.array([math.nan if value is None else value for value in values], dtype=float)
    numbers[~numpy.isfinite(numbers)] = math.nan
    known = numpy.isfinite(numbers)
    if not sigma or not known.any():
        return list(map(float, range(len(numbers)))), _told(numbers)
    wide = max(1, int(sigma / _FINE))
    counts, sums = _columns(known.astype(float), wide), _columns(numpy.where(known, numbers, 0.0), wide)
    places = _columns(numpy.where(known, numpy.arange(len(numbers)), 0.0), wide)
    filled = counts > 0
    shares = numpy.where(filled, counts, 1.0)
    middle = numpy.arange(len(counts)) * wide + (wide - 1) / 2
    at = numpy.where(filled, places / shares, numpy.minimum(middle, len(numbers) - 1))
    fitted = _fitted(counts, sums / shares, (at - middle) / wide, sigma / wide)
    fitted = numpy.clip(fitted, numbers[known].min(), numbers[known].max())
    return at.tolist(), _told(numpy.where(filled, fitted, math.nan))


def _columns(values: numpy.ndarray, wide: int) -> numpy.ndarray:
    """The sums of so many neighbours each."""
    return numpy.add.reduceat(values, numpy.arange(0, len(values), wide))


def _fitted(counts: numpy.ndarray, means: numpy.ndarray, off: numpy.ndarray, sigma: float) -> numpy.ndarray:
    """At each column the height there of the line that fits its neighbours best, each with the weight of the bell; the
    numbers of a column lie `off` its middle on average, in columns."""
    reach = max(1, math.ceil(_REACH * sigma))
    away = numpy.arange(-reach, reach + 1)
    bell = numpy.exp(-0.5 * (away / sigma) ** 2)

    def total(of: numpy.ndarray, power: int) -> numpy.ndarray:
        # A convolution turns its kernel round: the neighbour on the right is the one on the left of the kernel.
        return numpy.convolve(of, bell * (-away) ** power)[reach : reach + len(of)]

    with numpy.errstate(all="ignore"):
        weight, from_middle, heights = total(counts, 0), total(counts, 1) + total(counts * off, 0), counts * means
        squares = total(counts, 2) + 2 * total(counts * off, 1) + total(counts * off**2, 0)
        first, second = from_middle - off * weight, squares - 2 * off * from_middle + off**2 * weight
        height = total(heights, 0)
        slope = total(heights, 1) + total(heights * off, 0) - off * height
        spread = weight * second - first**2
        line = (second * height - first * slope) / spread
        return numpy.where(spread > 1e-9 * weight * weight, line, height / weight)


def _told(numbers: numpy.ndarray) -> list[float | None]:
    if numpy.isfinite(numbers).all():
        return numbers.tolist()
    return [value if math.isfinite(value) else None for value in numbers.tolist()]
