"""A table as plain columns, whatever it was read from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy

from danlu.base.errors import Fault

if TYPE_CHECKING:
    import polars

Kind = Literal["integer", "number", "boolean", "date", "text", "other"]
# Whole numbers up to this size are floats without loss.
EXACT = 2**53
MOST_LISTED = 100


@dataclass(frozen=True)
class Column:
    """One column: numbers (also of booleans, and of dates as days since 1970) are float64 with NaN for what is missing;
    text is an object array of str with None for what is missing; "other" is of a type that nothing can be made of.

    `offset` was taken from whole numbers too large for floats; `spelling` is how text was read as numbers or dates, and
    `remarks` are what there is to tell of that. `asked` says that a user named the kind: it is then a feature whatever
    it looks like.
    """

    kind: Kind
    values: "numpy.ndarray[Any, Any]"
    spelling: str = ""
    offset: int = 0
    remarks: tuple[Fault, ...] = ()
    asked: bool = False

    @property
    def missing(self) -> "numpy.ndarray[Any, numpy.dtype[numpy.bool_]]":
        if self.values.dtype == object:
            return numpy.array([value is None for value in self.values], dtype=numpy.bool_)
        return numpy.isnan(self.values)

    def take(self, rows: "numpy.ndarray[Any, Any]") -> "Column":
        return replace(self, values=self.values[rows])


Table = dict[str, Column]
"""Columns by name, all of one length."""


@dataclass(frozen=True)
class Sheet:
    """A table as it was read, before anything is made of its text; `lines` are those of its rows in the file `path`,
    counted from 1 (None where it was no text file), and `typed` says that the types are the user's own. `files` are the
    sheets whose rows stand here one behind the other, where they are those of several files.
    """

    columns: "dict[str, polars.Series]"
    path: str
    lines: "numpy.ndarray[Any, Any] | None" = None
    notes: tuple[Fault, ...] = ()
    semicolons: bool = False
    typed: bool = False
    files: "tuple[Sheet, ...]" = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int) -> Fault:
        """Where row number `row`, counted from 0, stands: its line in the file, else its number."""
        for sheet in self.files:
            if row < len(sheet):
                return Fault("tables.in-file", {"at": sheet.place(row), "path": sheet.path})
            row -= len(sheet)
        if self.lines is None:
            return Fault("data.at-row", {"row": row + 1})
        return Fault("data.at-line", {"line": int(self.lines[row])})


def as_text(column: Column) -> Column:
    """A column as text, as a file would hold it: a whole number without a point, a date as the day.

    >>> as_text(Column("number", numpy.array([1.0, 2.5, numpy.nan]))).values.tolist()
    ['1', '2.5', None]
    """
    if column.kind in ("text", "other"):
        return column
    cells = zip(column.values.tolist(), column.missing.tolist(), strict=True)
    texts = [None if gap else _spelled(value, column) for value, gap in cells]
    return Column("text", numpy.array(texts, dtype=object))


def _spelled(value: float, column: Column) -> str:
    if column.kind == "boolean":
        return "true" if value else "false"
    if column.kind == "date":
        moment = numpy.datetime64(round(value * 86_400), "s")
        return str(moment.astype("datetime64[D]") if value == int(value) else moment)
    if value == value // 1 and abs(value) <= EXACT:
        return str(int(value) + column.offset)
    return str(value)


def whole_numbers(values: "Sequence[int | None]") -> "tuple[numpy.ndarray[Any, Any], int]":
    """Whole numbers as float64 with NaN for None, and what was taken from each so that floats can hold them.

    >>> whole_numbers([2**60, 2**60 + 1, None])
    (array([ 0.,  1., nan]), 1152921504606846976)
    """
    present = [value for value in values if value is not None]
    offset = min(present) if present and max(abs(min(present)), abs(max(present))) > EXACT else 0
    return numpy.array([numpy.nan if value is None else float(value - offset) for value in values]), offset
