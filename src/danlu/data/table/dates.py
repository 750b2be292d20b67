"""Dates as people write them, as days since 1970."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

from danlu.data.table.spelling import plain_signs

YEAR_FIRST, DAY_FIRST, MONTH_FIRST = "y-m-d", "d/m/y", "m/d/y"
ORDERS = (YEAR_FIRST, DAY_FIRST, MONTH_FIRST)
SECONDS_A_DAY = 86_400
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: place + 1 for place, name in enumerate(MONTHS)}
_TIME = (
    r"(?:[T ,]\s*(?P<hour>\d{1,2})[:时](?P<minute>\d{1,2})分?(?::?(?P<second>\d{1,2})秒?(?P<fraction>\.\d+)?)?"
    r"\s*(?P<half>[AP]M)?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})(?:[-/.月](?P<day>\d{1,2})日?|月)?" + _TIME, re.I)
_YEAR_LAST = re.compile(
    r"(?P<first>\d{1,2})(?P<sign>[-/.])(?P<then>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})" + _TIME, re.I
)
_NAMED = re.compile(
    r"(?:(?P<day>\d{1,2})[- ](?P<name>[a-z]{3})[a-z]*[-, ]+|(?P<name2>[a-z]{3})[a-z]*\.? (?P<day2>\d{1,2}),? )"
    r"(?P<year>\d{4})" + _TIME,
    re.I,
)


@dataclass(frozen=True)
class DateFit:
    """How a column's cells read as dates in one order; `open` where the other order would read them as well."""

    order: str
    days: dict[str, float]
    odd: tuple[str, ...]
    open: bool


def parse_date(text: str, order: str) -> float | None:
    """Days since 1970-01-01 (UTC), or None where `text` is no date in that order of day and month.

    >>> parse_date("1970/1/2", "y-m-d"), parse_date("2/1/1970", "d/m/y"), parse_date("1970年1月2日 12:00", "y-m-d")
    (1.0, 1.0, 1.5)
    """
    text = plain_signs(text)
    if found := _YEAR_FIRST.fullmatch(text):
        return _days(found, int(found["year"]), int(found["month"]), int(found["day"] or 1))
    if found := _NAMED.fullmatch(text):
        month = _MONTHS.get((found["name"] or found["name2"]).lower())
        return None if month is None else _days(found, int(found["year"]), month, int(found["day"] or found["day2"]))
    found = _YEAR_LAST.fullmatch(text) if order != YEAR_FIRST else None
    if found is None:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        if found["sign"] != "/":
            return None
        year += 1900 if year >= 70 else 2000
    first, then = int(found["first"]), int(found["then"])
    day, month = (first, then) if order == DAY_FIRST else (then, first)
    return _days(found, year, month, day)


def fit_dates(texts: Sequence[str], prefer: str | None = None) -> DateFit:
    """The different `texts` of a column, in their order, read as dates in the order of day and month that fits best.

    Where both do, that of the file's other dates decides (`prefer`), then that in which the rows go on in time.
    """
    fits: list[tuple[str, dict[str, float]]] = []
    for order in ORDERS:
        read = {text: parse_date(text, order) for text in texts}
        fits.append((order, {text: day for text, day in read.items() if day is not None}))
    most = max(len(days) for _, days in fits)
    best = [(order, days) for order, days in fits if len(days) == most]
    differing = len(best) > 1 and best[-1][1] != best[-2][1]
    order, days = best[0]
    if differing:
        ranked = sorted(best[-2:], key=lambda one: (one[0] == prefer, _in_order(one[1])), reverse=True)
        order, days = ranked[0]
    return DateFit(order, days, tuple(text for text in texts if text not in days), differing)


def _in_order(days: dict[str, float]) -> bool:
    values = list(days.values())
    return all(a <= b for a, b in pairwise(values)) or all(a >= b for a, b in pairwise(values))


def _days(found: re.Match[str], year: int, month: int, day: int) -> float | None:
    hour = int(found["hour"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    try:
        moment = datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), tzinfo=UTC)
    except ValueError:
        return None
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1) + float(found["fraction"] or 0)
    return (seconds - _offset(found["zone"])) / SECONDS_A_DAY


def _offset(zone: str | None) -> float:
    """Seconds that a clock of `zone` is ahead of UTC."""
    if zone is None or zone.upper() in ("Z", "UTC"):
        return 0.0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    ahead = timezone(timedelta(hours=hours, minutes=minutes)).utcoffset(None) if hours < 24 else timedelta()
    return ahead.total_seconds() * (-1 if zone[0] == "-" else 1)
