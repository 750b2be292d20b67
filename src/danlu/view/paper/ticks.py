"""Where the ticks of an axis stand, and what is written at them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from danlu.view.figures.names import short

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_WHOLE = (1.0, 2.0, 5.0, 10.0)
_MOST = 9
_LONG = 1e6  # from here on, and below its inverse, a number is written with an exponent
_FEW_DECADES = 2  # an axis of so many powers of ten has names in between
_SHORT_DECADE = 0.6  # and one of less than that many has as many as there are
_BETWEEN = (1, 2, 3, 4, 6)


@dataclass(frozen=True)
class Tick:
    """A place on an axis and its name; `power` is written small and high behind it. A minor one has no grid line."""

    at: float
    text: str = ""
    power: str = ""
    minor: bool = False


def straight_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[Tick]:
    """Round numbers from `low` to `high`, at most about so many.

    >>> [tick.text for tick in straight_ticks(0.0, 1.0, 5)]
    ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']
    >>> [tick.text for tick in straight_ticks(0.2, 3.1, 9, whole=True)]
    ['1', '2', '3']
    """
    low, high = min(low, high), max(low, high)
    if not (math.isfinite(low) and math.isfinite(high)) or high - low <= 1e-12 * max(abs(low), abs(high)):
        return [Tick(low, short(low))] if math.isfinite(low) else []
    rough = (high - low) / max(1, min(most, _MOST))
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(one * scale for one in _STEPS if one * scale >= rough * (1 - 1e-9))
    if whole:
        scale = max(1.0, scale)
        step = next(one * scale for one in _WHOLE if one * scale >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    places = [number * step for number in range(first, last + 1)]
    return [Tick(place, text) for place, text in zip(places, _texts(places, step), strict=True)]


def _texts(places: Sequence[float], step: float) -> list[str]:
    """The numbers with as many digits behind the point as tell them apart."""
    largest = max(map(abs, places), default=0.0)
    if largest and not 1 / _LONG * 100 <= largest < _LONG:
        return [short(place) if place else "0" for place in places]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if digits and round(step, digits) != round(step, digits + 2):  # 0.25 has one digit more than 0.2
        digits += 1
    elif not digits and step != round(step):
        digits = 1
    return [f"{place if abs(place) > step / 2 else 0.0:.{digits}f}" for place in places]


def power_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Powers of ten from `low` to `high`, on a short axis with what lies between them; round numbers at equal distances
    where not even that are two.

    >>> [(tick.text, tick.power) for tick in power_ticks(0.05, 200, 9) if not tick.minor]
    [('10', '-1'), ('10', '0'), ('10', '1'), ('10', '2')]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = [number for number in range(first, last + 1) if low <= 10.0**number <= high]
    every = max(1, -(-len(decades) // max(1, min(most, _MOST))))
    wide = math.log10(high / low)
    named = () if wide > _FEW_DECADES else _BETWEEN if wide > _SHORT_DECADE else tuple(range(1, 10))
    ticks = [Tick(10.0**number, "10", str(number)) for number in decades[::every]]
    if every == 1:
        between = [(factor, number) for number in range(first, last + 1) for factor in range(2, 10)]
        inside = [(factor, number) for factor, number in between if low <= factor * 10.0**number <= high]
        ticks += [
            Tick(factor * 10.0**number, *((f"{factor}×10", str(number)) if factor in named else ()), minor=True)
            for factor, number in inside
        ]
    if len(ticks) < 2:
        return [Tick(tick.at, short(tick.at)) for tick in straight_ticks(low, high, 4)]
    return sorted(ticks, key=lambda tick: tick.at)
