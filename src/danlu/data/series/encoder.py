"""The fitted encoder of a time series: rows of a table, in any order, as windows of encoded rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.data.series.clock import Clock
from danlu.data.series.order import Stretch, in_order, refuse_repeated, stretches_of, window_rows
from danlu.data.table.columns import Column, Table
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import CategoryColumn, NumberColumn, fitting
from danlu.data.table.frames import table_of
from danlu.data.table.outlying import table_remarks

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
class WindowEncoder:
    """Windows of `window` rows of one series, each as the `encoder` makes it, the column `target` first. `time` says
    how the column of that name is read, None: rows stand in their order. `group` is the column that names the series.
    """

    encoder: TableEncoder
    window: int
    horizon: int
    target: str
    time: NumberColumn | None
    group: str | None
    clock: Clock

    @property
    def features(self) -> tuple[str, ...]:
        """What each of the numbers is that a row becomes."""
        return self.encoder.features

    @property
    def columns(self) -> tuple[NumberColumn | CategoryColumn, ...]:
        """The columns that are looked at, besides time and group."""
        return self.encoder.columns

    @property
    def own(self) -> NumberColumn:
        """What the target's own past becomes."""
        first = self.columns[0]
        assert isinstance(first, NumberColumn)
        return first

    def encode(self, raw: Any) -> Tensor:
        """Every window of some rows (a data frame, a dict of columns, a list of rows as dicts), the last one of the
        last series at the end: float32 [N, window, features]. UserError where there is none.
        """
        table = table_of(raw)
        return self.encoded(table, self.windows(table))

    def encoded(self, table: Table, windows: Windows) -> Tensor:
        """These windows of the table: float32 [N, window, features]."""
        return self.encoder.encode_table(table)[torch.from_numpy(windows.rows)]

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
            times = numpy.arange(count, dtype=numpy.float64)
        else:
            column = fitting(self.time, table[self.time.name], faults)
            faults.raise_if_any()
            times = column.values + float(column.offset - self.time.offset)
            refuse_no_time(times, self.time.name, at, place)
        ordered = self._known(in_order(times, series), table[self.target], at, place)
        refuse_repeated(ordered, times, self.clock, names, at, place)
        return Laid(names, series, times, stretches_of(ordered, times, self.clock))

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

    def unseen(self, table: Table, windows: Windows) -> Iterator[tuple[int, Fault]]:
        """Windows whose last row has a category that the training part did not have, by number from 0."""
        ends = {int(row): number for number, row in enumerate(windows.rows[:, -1].tolist())}
        for row, fault in self.encoder.unseen(table):
            if row in ends:
                yield ends[row], fault

    def remarks(self, raw: Any) -> tuple[Fault, ...]:
        """What is to be told of rows whose numbers lie far outside the training part's."""
        return table_remarks(self.columns, table_of(raw))

    def facts(self) -> dict[str, Any]:
        series = {"window": self.window, "horizon": self.horizon, "time": self.time and self.time.name}
        return {**self.encoder.facts(), "series": {**series, "group": self.group, "target": self.target}}


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
