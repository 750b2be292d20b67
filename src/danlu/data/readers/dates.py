"""Dates as people write them, each with the form that ISO 8601 gives it: made from numbers, nothing is read."""

import datetime
from pathlib import Path

import torch

from danlu.base.seeds import stream
from danlu.data.text.pairs import Pairs

_PAIRS = 3_000
_FIRST, _LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)  # so that two digits tell a year
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FORMS = (
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "{weekday}, {day} {month} {year}",
    "{weekday} {month} {day}{ending} {year}",
    "{day}{ending} of {month} {year}",
    "{day} {short} {year}",
    "{short} {day}, {year}",
    "{day:02}.{number:02}.{year}",
    "{year}/{number}/{day}",
    "{day}-{short}-{two:02}",
    "{day} {month} '{two:02}",
    "{year}年{number}月{day}日",
)  # no form leaves open which number is the day


def read_dates(path: Path) -> Pairs:
    """3,000 dates from 1950 to 2049 in twelve forms, a third of them in small letters; no two are spelled alike."""
    drawn = stream(0, "dates")
    found: dict[str, str] = {}
    days = (_LAST - _FIRST).days + 1
    while len(found) < _PAIRS:
        day, form, small = (int(torch.randint(most, (1,), generator=drawn)) for most in (days, len(_FORMS), 3))
        date = _FIRST + datetime.timedelta(days=day)
        text = _spelled(date, _FORMS[form])
        found[text.lower() if not small else text] = date.isoformat()
    return Pairs(list(found), list(found.values()))


def _spelled(date: datetime.date, form: str) -> str:
    """A date in one of the forms.

    >>> _spelled(datetime.date(2021, 3, 3), "{weekday} {month} {day}{ending} {year}")
    'Wednesday March 3rd 2021'
    """
    month = _MONTHS[date.month - 1]
    teens = 11 <= date.day <= 13
    return form.format(
        day=date.day,
        month=month,
        year=date.year,
        weekday=_DAYS[date.weekday()],
        ending="th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(date.day % 10, "th"),
        short=month[:3],
        number=date.month,
        two=date.year % 100,
    )
