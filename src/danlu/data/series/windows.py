"""Which rows of a table are windows of a time series, without torch: an exported net asks the same as its run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.data.series.clock import Clock
from danlu.data.series.order import Stretch, in_order, refuse_repeated, stretches_of, window_rows
from danlu.data.table.columns import Column, Table
from danlu.data.table.fitted import CategoryColumn, NumberColumn, fitting
from danlu.data.table.frames import is_frame, table_of

Array = numpy.ndarray[Any, Any]
At = Callable[[int], Fault]


def at_row(row: int) -> Fault:
    """Where a row, counted from 0, stands in a table that has no lines."""
    return Fault("data.at-row", {"row": row + 1})


@dataclass(frozen=True)
class Laid:
    """The rows of a table as series: `names` of them (none where there is one without a name), the `series` and the
    `times` of each row, and the `stretches` without a gap.
    """

    names: tuple[str, ...]
    series: Array
    times: Array
    stretches: list[Stretch]

    def name(self, series: int) -> str:
        """The name of a series by its number; "" where there is one."""
        return self.names[series] if self.names else ""


@dataclass(frozen=True)
class Windows:
    """Windows of a table: the numbers of their `rows`, [N, window], of the rows behind them, [N, horizon], -1 where
    there is none, and of their series, [N].
    """

    laid: Laid
    rows: Array
    behind: Array
    series: Array

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class WindowLayout:
    """Windows of `window` rows of one series, behind which `horizon` values of the column `target` are forecast. `time`
    says how the column of that name is read, None: rows stand in their order. `group` is the column that names the
    series, and `clock` says where steps are missing.
    """

    window: int
    horizon: int
    target: str
    time: NumberColumn | None
    group: str | None
    clock: Clock

    def windows(self, table: Table, at: At = at_row, place: str = "x") -> Windows:
        """Every window of a table, also those with nothing behind them. UserError with all that is wrong, or where
        there is no window; `at` says where a row stands, `place` what the table is called.
        """
        laid = self.laid(table, at, place)
        rows, series = window_rows(laid.stretches, self.window, 0)
        if not len(rows):
            longest = max((len(stretch.rows) for stretch in laid.stretches), default=0)
            fail("data.series-no-window", place=place, window=self.window, longest=longest)
        behind = numpy.full((len(rows), self.horizon), -1)
        following = numpy.full(len(laid.times) + 1, -1)
        for stretch in laid.stretches:
            following[stretch.rows[:-1]] = stretch.rows[1:]
        last = rows[:, -1]
        for step in range(self.horizon):
            last = following[last]
            behind[:, step] = last
        return Windows(laid, rows, behind, series)

    def laid(self, table: Table, at: At = at_row, place: str = "x") -> Laid:
        """The rows of a table as series. UserError with all that is wrong."""
        faults = Faults()
        for name in (self.target, self.group, self.time and self.time.name):
            if name is not None and name not in table:
                faults.add("data.encode-column", column=name, hint=nearest(name, table))
        faults.raise_if_any()
        count = len(table[self.target].values)
        names: tuple[str, ...] = ()
        series = numpy.zeros(count, numpy.int64)
        if self.group is not None:
            names, series = series_in(table[self.group], self.group, at, place)
        if self.time is None:
            times = steps_of(series)
        else:
            column = fitting(self.time, table[self.time.name], faults)
            faults.raise_if_any()
            times = column.values + float(column.offset - self.time.offset)
            refuse_no_time(times, self.time.name, at, place)
        ordered = self._known(in_order(times, series), table[self.target], at, place)
        refuse_repeated(ordered, times, self.clock, names, at, place)
        return Laid(names, series, times, stretches_of(ordered, times, self.clock))

    def beside(self, windows: Windows) -> dict[str, list[str]]:
        """What is told beside a forecast: the series of each window, and the time of its last row, by their columns."""
        told: dict[str, list[str]] = {}
        if self.group is not None:
            told[self.group] = [windows.laid.name(number) for number in windows.series.tolist()]
        if self.time is not None:
            ends: list[float] = windows.laid.times[windows.rows[:, -1]].tolist()
            told[self.time.name] = [self.clock.shown(time) for time in ends]
        return told

    def _known(self, ordered: Sequence[Array], column: Column, at: At, place: str) -> list[Array]:
        """The rows of each series up to the last one whose target is known: behind it stands what is to be forecast.
        UserError where one before it has none.
        """
        known = ~column.missing
        kept = [rows[: int(numpy.flatnonzero(known[rows]).max(initial=-1)) + 1] for rows in ordered]
        lacking = numpy.sort(numpy.concatenate([rows[~known[rows]] for rows in kept]))
        if len(lacking):
            told = {"count": len(lacking), "at": at(int(lacking[0]))}
            fail("data.series-target-missing", place=place, column=self.target, **told)
        return kept


def tables_of(raw: Any) -> list[Table]:
    """Rows of time series as they are given, as tables: one, or several in a list, each a data frame or a dict of
    columns, which no window crosses.

    >>> [sorted(table) for table in tables_of([{"a": [1, 2]}, {"a": [3, 4]}])]
    [['a'], ['a']]
    >>> len(tables_of([{"a": 1}, {"a": 2}])[0]["a"].values)
    2
    """
    given = cast(Sequence[Any], raw) if isinstance(raw, list | tuple) else ()
    return [table_of(one) for one in given] if given and all(map(_is_columns, given)) else [table_of(raw)]


def _is_columns(given: Any) -> bool:
    """Whether something is a table, not a row of one: a data frame, or a dict of which each value is a list."""
    if not isinstance(given, Mapping):
        return is_frame(given)
    cells = cast(Mapping[Any, Any], given).values()
    return len(cells) > 0 and all(isinstance(cell, list | tuple | numpy.ndarray) for cell in cells)


def steps_of(series: Array) -> Array:
    """Times of rows that have none: how many of its series stand before each, float64 [N].

    >>> steps_of(numpy.array([0, 1, 0, 0])).tolist()
    [0.0, 0.0, 1.0, 2.0]
    """
    times = numpy.empty(len(series), numpy.float64)
    for rows in in_order(numpy.arange(len(series)), series):
        times[rows] = numpy.arange(len(rows))
    return times


def series_in(column: Column, group: str, at: At, place: str) -> tuple[tuple[str, ...], Array]:
    """The names of the series, in the order in which they come, and the series of each row. UserError where a name is
    missing.
    """
    missing = column.missing
    if missing.any():
        told = {"count": int(missing.sum()), "at": at(int(missing.argmax()))}
        fail("data.series-group-missing", place=place, column=group, **told)
    texts = named(column).values.astype(str)
    names, first, series = numpy.unique(texts, return_index=True, return_inverse=True)
    order = numpy.argsort(first)
    numbers = numpy.empty(len(order), numpy.int64)
    numbers[order] = numpy.arange(len(order))
    return tuple(names[order].tolist()), numbers[series]


def named(column: Column) -> Column:
    """A column whose values are names, whatever type they came in."""
    return fitting(CategoryColumn("", (), False), column, Faults())


def refuse_no_time(times: Array, name: str, at: At, place: str) -> None:
    """UserError where a row has no time."""
    missing = numpy.isnan(times)
    if missing.any():
        told = {"count": int(missing.sum()), "at": at(int(missing.argmax()))}
        fail("data.series-time-missing", place=place, column=name, **told)
