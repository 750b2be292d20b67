"""The times of series: how long a step is, in months, working days or numbers, and where steps are missing."""

from datetime import date, timedelta

import numpy
import pytest

from danlu.data.series.clock import Clock

DAY = date(1970, 1, 1)


def days(*dates: str) -> numpy.ndarray:
    return numpy.array([(date.fromisoformat(one) - DAY).days for one in dates], dtype=float)


MONTHS = days("2023-01-01", "2023-02-01", "2023-03-01", "2023-05-01", "2023-06-01")
ENDS = days("2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30", "2023-06-30")
QUARTERS = days("2022-01-01", "2022-04-01", "2022-07-01", "2023-01-01")
DAILY = days("2023-01-30", "2023-01-31", "2023-02-01", "2023-02-04", "2023-02-05")
WORKING = numpy.array(
    [one for one in range(19_000, 19_030) if (DAY + timedelta(one)).weekday() < 5 and one != 19_012], dtype=float
)
HOURLY = numpy.array([0, 1, 2, 4, 5]) / 24
WEEKLY = numpy.array([0.0, 7, 14, 28])


@pytest.mark.parametrize(
    ("times", "unit", "step", "gap"),
    [
        (MONTHS, "months", 1, 2),
        (ENDS, "months", 1, 3),
        (QUARTERS, "months", 3, 2),
        (DAILY, "numbers", 1, 2),
        (WORKING, "weekdays", 1, 7),
        (HOURLY, "numbers", 1 / 24, 2),
        (WEEKLY, "numbers", 7, 2),
    ],
    ids=["months", "month-ends", "quarters", "days", "working-days", "hours", "weeks"],
)
def test_a_missing_step_is_found_in_every_calendar(times: numpy.ndarray, unit: str, step: float, gap: int) -> None:
    clock = Clock.of([times], dated=True)
    assert clock.unit == unit
    assert clock.step == pytest.approx(step, abs=1e-6)
    assert numpy.flatnonzero(clock.gaps(times)).tolist() == [gap]
    places = clock.places(times)
    assert (numpy.diff(places) == numpy.where(numpy.arange(len(times) - 1) == gap, 2, 1)).sum() >= len(times) - 2


def test_uneven_times_have_no_gaps_and_go_by_their_own_number() -> None:
    times = numpy.array([0.0, 1, 3, 7, 8.5, 20])
    clock = Clock.of([times], dated=False)
    assert clock.step == 0
    assert not clock.gaps(times).any()
    assert clock.places(times).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("clock", "natural"),
    [
        (Clock("months", 1.0, True), (12,)),
        (Clock("numbers", 1.0, True), (7, 365)),
        (Clock("numbers", 1 / 24, True), (24, 168)),
        (Clock("numbers", 1.0, False), ()),
        (Clock("numbers", 0.4, True), ()),
    ],
)
def test_only_calendars_have_natural_seasons(clock: Clock, natural: tuple[int, ...]) -> None:
    assert clock.natural() == natural


@pytest.mark.parametrize(
    ("clock", "time", "shown"),
    [
        (Clock("months", 1.0, True), float(MONTHS[1]), "2023-02"),
        (Clock("months", 1.0, True), float(ENDS[1]), "2023-02-28"),
        (Clock("numbers", 1.0, True), float(DAILY[0]), "2023-01-30"),
        (Clock("numbers", 1 / 24, True), 0.5, "1970-01-01 12:00:00"),
        (Clock("numbers", 1.0, False), 1949.0, "1949"),
    ],
)
def test_times_are_shown_as_people_write_them(clock: Clock, time: float, shown: str) -> None:
    assert clock.shown(time) == shown
