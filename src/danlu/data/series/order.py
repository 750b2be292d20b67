"""The rows of a table as series: which belongs to which, in which order, and where one breaks off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from danlu.base.errors import Fault, Faults
from danlu.data.series.clock import Clock

Array = numpy.ndarray[Any, Any]
MOST_TOLD = 3


@dataclass(frozen=True)
class Stretch:
    """Rows of the series number `series` that follow each other without a gap: their numbers in the table, in time
    order, and their `places`, whole numbers of steps.
    """

    series: int
    rows: Array
    places: Array


def in_order(times: Array, series: Array) -> list[Array]:
    """The rows of each series, those of the first one first, each in time order: numbers from 0."""
    order = numpy.lexsort((times, series))
    return numpy.split(order, numpy.flatnonzero(numpy.diff(series[order])) + 1)


def refuse_repeated(
    ordered: Sequence[Array], times: Array, clock: Clock, names: Sequence[str], at: Callable[[int], Fault], place: str
) -> None:
    """UserError where two rows of a series have the same time."""
    faults, count = Faults(), 0
    for number, rows in enumerate(ordered):
        for first in numpy.flatnonzero(numpy.diff(times[rows]) == 0).tolist():
            count += 1
            if count > MOST_TOLD:
                continue
            pair = sorted((int(rows[first]), int(rows[first + 1])))
            told = {"place": place, "time": clock.shown(times[pair[0]]), "first": at(pair[0]), "then": at(pair[1])}
            phrase = "data.series-time-twice-in" if names else "data.series-time-twice"
            faults.add(phrase, **told, series=names[number] if names else "")
    if count > MOST_TOLD:
        faults.add("data.series-time-twice-more", count=count - MOST_TOLD)
    faults.raise_if_any()


def stretches_of(ordered: Sequence[Array], times: Array, clock: Clock) -> list[Stretch]:
    """The series cut at their gaps."""
    found: list[Stretch] = []
    for number, rows in enumerate(ordered):
        places, cuts = clock.places(times[rows]), numpy.flatnonzero(clock.gaps(times[rows])) + 1
        pieces = zip(numpy.split(rows, cuts), numpy.split(places, cuts), strict=True)
        found += [Stretch(number, own, stand) for own, stand in pieces]
    return found


def window_rows(stretches: Sequence[Stretch], window: int, ahead: int) -> tuple[Array, Array]:
    """Rows of every window of `window` rows with `ahead` more behind it, int64 [N, window + ahead], and the series of
    each, [N]; none crosses from one stretch into the next.

    >>> window_rows([Stretch(0, numpy.arange(4), numpy.arange(4))], 2, 1)[0].tolist()
    [[0, 1, 2], [1, 2, 3]]
    """
    size, rows, series = window + ahead, list[Array](), list[Array]()
    for stretch in stretches:
        if len(stretch.rows) >= size:
            rows.append(numpy.lib.stride_tricks.sliding_window_view(stretch.rows, size))
            series.append(numpy.full(len(rows[-1]), stretch.series))
    if not rows:
        return numpy.empty((0, size), numpy.int64), numpy.empty(0, numpy.int64)
    return numpy.concatenate(rows), numpy.concatenate(series)
