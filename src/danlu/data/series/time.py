"""Which column of a table tells the time of its rows."""

from collections.abc import Sequence
from typing import Any

from danlu.base.errors import Fault, fail, nearest
from danlu.data.divide import AS_THEY_STAND
from danlu.data.table.columns import Column
from danlu.data.table.dates import ORDERS, parse_date
from danlu.data.table.source import TableSource
from danlu.data.table.spelling import best_fits

_TIMED = ("date", "integer", "number")


def time_column(source: TableSource, given: Any, others: Sequence[str | None]) -> tuple[str | None, tuple[Fault, ...]]:
    """The column that is named, or the only one of dates besides `others`; None for rows in their order. With what is
    to be told of it. UserError where there is none, or it holds no times.
    """
    if given == AS_THEY_STAND and AS_THEY_STAND not in source.table:
        return None, ()
    if given is None:
        dates = [name for name, column in source.table.items() if column.kind == "date" and name not in others]
        if len(dates) != 1:
            phrase = "data.series-time-several" if dates else "data.series-time-needed"
            fail(phrase, place=source.place, columns=", ".join(dates or source.table))
        return dates[0], (Fault("data.series-time-found", {"column": dates[0]}), *_remarks(source, dates[0]))
    if not isinstance(given, str):
        fail("data.series-key-array", key="data.time")
    if given not in source.table:
        hint = nearest(given, source.table)
        fail("data.series-no-time", place=source.place, column=given, columns=", ".join(source.table), hint=hint)
    column = source.table[given]
    if column.kind not in _TIMED:
        row, found = _first_odd(column)
        fail("data.series-time-text", place=source.place, column=given, found=found, at=source.at(row))
    return given, _remarks(source, given)


def _remarks(source: TableSource, name: str) -> tuple[Fault, ...]:
    """How dates were read. UserError where some cells were no dates."""
    for remark in source.table[name].remarks:
        if remark.id == "data.odd-cells":
            values = remark.values
            fail("data.series-time-text", place=source.place, column=name, found=values["found"], at=values["at"])
    return source.table[name].remarks


def _first_odd(column: Column) -> tuple[int, Any]:
    """The first cell that is neither a date nor a number, with its row."""
    for row, cell in enumerate(column.values.tolist()):
        text = str(cell)
        if cell is not None and not best_fits([text]) and all(parse_date(text, order) is None for order in ORDERS):
            return row, cell
    return 0, column.values[0]
