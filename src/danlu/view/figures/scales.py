"""From numbers to colours."""

from collections.abc import Sequence

_LEAST_MISTAKE = 0.05  # of a class: a few mistakes among thousands are no alarm


def color_range(values: Sequence[Sequence[float | None]], *, ramp: str, log: bool) -> tuple[float, float]:
    """The numbers at both ends of the colours: the least and the greatest, positive ones only where `log`; symmetric
    about 0 for differences, 0 and 1 for shares, from 0 to at least 0.05 for mistakes. Never the same number twice.

    >>> color_range([[1.0, None], [3.0, -4.0]], ramp="difference", log=False)
    (-4.0, 4.0)
    >>> color_range([[0.0, 0.0]], ramp="share", log=False), color_range([[0.0, 0.2]], ramp="mistake", log=False)
    ((0.0, 1.0), (0.0, 0.2))
    """
    if ramp == "share":
        return 0.0, 1.0
    found = [value for row in values for value in row if value is not None and (value > 0 or not log)]
    low, high = (min(found), max(found)) if found else (1.0, 10.0)
    if ramp == "difference":
        most = max(abs(low), abs(high)) or 1.0
        return -most, most
    if ramp == "mistake":
        return 0.0, max(high, _LEAST_MISTAKE) if found else 1.0
    if low == high:
        return (low / 2, low * 2) if log else (low - 0.5, high + 0.5)
    return low, high
