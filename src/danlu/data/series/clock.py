"""At which times the rows of series stand: how long a step is, and where steps are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

_WEEK, _WORKING_DAYS = 7, 5
_MOST_UNEVEN = 0.5  # share of the steps that must be of one length, or none of them is a gap
_GAP = 1.5  # steps
# Steps a season has by nature, for each length of a step (months, working days, or days and shares of one).
_MONTHS, _WEEKDAYS, _NUMBERS = "months", "weekdays", "numbers"
_NATURAL = {
    (_MONTHS, 1): (12,),
    (_MONTHS, 3): (4,),
    (_WEEKDAYS, 1): (5, 260),
    (_NUMBERS, 1): (7, 365),
    (_NUMBERS, 7): (52,),
}
_A_DAY = (1440, 288, 96, 48, 24)  # steps a day: of a minute, five, a quarter, half an hour, an hour
_NEAR = 0.05

Array = numpy.ndarray[Any, Any]


@dataclass(frozen=True)
class Clock:
    """Times count in "months", "weekdays" (Monday to Friday) or as the numbers that they are (dates: days); a `step` of
    0 means that they come as they come, and none is missing.
    """

    unit: str = _NUMBERS
    step: float = 0.0
    dated: bool = False

    @classmethod
    def of(cls, series: Sequence[Array], *, dated: bool) -> "Clock":
        """What the times of each series, ascending, go by: by far the most of their steps are of one length.

        >>> Clock.of([numpy.array([0.0, 31.0, 59.0, 90.0])], dated=True)
        Clock(unit='months', step=1.0, dated=True)
        """
        unit = _unit(numpy.concatenate(series)) if dated else _NUMBERS
        steps = numpy.concatenate([numpy.diff(_counted(times, unit)) for times in series])
        if not len(steps):
            return cls(unit, 0.0, dated)
        lengths, counts = numpy.unique(steps.round(6), return_counts=True)
        even = counts.max() >= _MOST_UNEVEN * len(steps)
        return cls(unit, float(lengths[counts.argmax()]) if even else 0.0, dated)

    def places(self, times: Array) -> Array:
        """Times of one series, ascending, as whole numbers of steps: int64 [N]; their order where steps are uneven.

        >>> Clock("numbers", 0.5).places(numpy.array([1.0, 1.5, 3.0])).tolist()
        [2, 3, 6]
        """
        if not self.step:
            return numpy.arange(len(times))
        return numpy.round(_counted(times, self.unit) / self.step).astype(numpy.int64)

    def gaps(self, times: Array) -> Array:
        """Behind which of some times, ascending, at least one is missing: bool [N - 1]."""
        counted = _counted(times, self.unit)
        return numpy.diff(counted) > _GAP * self.step if self.step else numpy.zeros(max(0, len(times) - 1), bool)

    def natural(self) -> tuple[int, ...]:
        """How many steps a season has by nature, where that is known."""
        if not self.dated:
            return ()
        daily = next((count for count in _A_DAY if abs(self.step * count - 1) < 1e-3), None)
        if self.unit == _NUMBERS and daily:
            return (daily, daily * _WEEK)
        return _NATURAL.get((self.unit, round(self.step)), ())

    def shown(self, time: float) -> str:
        """A time as people write it.

        >>> Clock("months", 1.0, True).shown(31.0), Clock("numbers", 1.0, False).shown(7.0)
        ('1970-02', '7')
        """
        if not self.dated:
            return f"{time:.10g}"
        if self.unit == _MONTHS and _month_starts(numpy.array([time])):
            return str(numpy.datetime64(round(time), "D").astype("datetime64[M]"))
        if time == round(time):
            return str(numpy.datetime64(round(time), "D"))
        return str(numpy.datetime64(round(time * 86_400), "s")).replace("T", " ")


def _unit(times: Array) -> str:
    """Months where all dates are the first of theirs, or the last, or any other same day; weekdays where none is on a
    weekend and not all a week apart.
    """
    if (times != times.round()).any():
        return _NUMBERS
    days = times.astype(numpy.int64).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    in_month = (days - months.astype("datetime64[D]")).astype(int)
    left = ((months + 1).astype("datetime64[D]") - days).astype(int)
    if len(numpy.unique(months)) > 1 and (numpy.ptp(in_month) == 0 or numpy.ptp(left) == 0):
        return _MONTHS
    weekday = numpy.unique((times.astype(numpy.int64) + 3) % _WEEK)  # 1970-01-01 was a Thursday
    return _WEEKDAYS if len(weekday) == _WORKING_DAYS and weekday.max() < _WORKING_DAYS else _NUMBERS


def _month_starts(times: Array) -> bool:
    days = times.round().astype(numpy.int64).astype("datetime64[D]")
    return bool((days == days.astype("datetime64[M]").astype("datetime64[D]")).all())


def _counted(times: Array, unit: str) -> Array:
    """Times as numbers that go on evenly from step to step: float64 [N]."""
    if unit == _NUMBERS or not len(times):
        return times
    days = times.round().astype(numpy.int64).astype("datetime64[D]")
    if unit == _MONTHS:
        return days.astype("datetime64[M]").astype(numpy.int64).astype(numpy.float64)
    return numpy.busday_count(numpy.datetime64("1970-01-01"), days).astype(numpy.float64)
