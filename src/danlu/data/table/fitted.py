"""What each column of a table becomes, as it was fitted to the training part; without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy

from danlu.base.errors import Fault, Faults
from danlu.base.strict_json import number
from danlu.data.table.columns import Column, Kind, as_text
from danlu.data.table.infer import cells_as_numbers
from danlu.data.table.spelling import POINT, best_fits


@dataclass(frozen=True)
class NumberColumn:
    """A number, boolean or date: the median where missing, then (x - mean) / scale; `flag` adds a 0/1 column for
    "missing". Text is read in the `spelling` of the training data; `offset` is taken from large whole numbers first.
    """

    name: str
    kind: Kind
    median: float
    mean: float
    scale: float
    flag: bool
    spelling: str = ""
    offset: int = 0
    low: float | None = None  # of the training part
    high: float | None = None

    @property
    def features(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}: missing") if self.flag else (self.name,)

    def encode(self, column: Column) -> list["numpy.ndarray[Any, Any]"]:
        missing = column.missing
        values = column.values + float(column.offset - self.offset)
        standard = (numpy.where(missing, self.median, values) - self.mean) / self.scale
        return [standard, missing.astype(numpy.float64)] if self.flag else [standard]

    def show(self, encoded: Sequence[float]) -> str:
        """The value that `encode` made these numbers of; "?" where it was missing."""
        if self.flag and encoded[1]:
            return "?"
        value = encoded[0] * self.scale + self.mean
        if self.kind == "date":
            return str(numpy.datetime64(round(value), "D"))
        if self.kind == "boolean":
            return "true" if value > 0.5 else "false"
        return str(round(value) + self.offset) if self.kind == "integer" else f"{value:.6g}"


@dataclass(frozen=True)
class CategoryColumn:
    """Text: a 0/1 column for each of `values`, and one for "missing" where the training part had gaps.

    A value that the training part did not have leaves all of them 0.
    """

    name: str
    values: tuple[str, ...]
    missing: bool
    usual: str = field(default="", repr=False, compare=False)  # the most frequent; "" where danlu 0.1 fitted it

    @property
    def features(self) -> tuple[str, ...]:
        shown = tuple(f"{self.name} = {value}" for value in self.values)
        return (*shown, f"{self.name}: missing") if self.missing else shown

    def encode(self, column: Column) -> list["numpy.ndarray[Any, Any]"]:
        columns = [(column.values == value).astype(numpy.float64) for value in self.values]
        return [*columns, column.missing.astype(numpy.float64)] if self.missing else columns

    def show(self, encoded: Sequence[float]) -> str:
        """The value that `encode` made these numbers of; "?" for one that is none of `values`."""
        return next((value for value, hot in zip(self.values, encoded, strict=False) if hot), "?")


def refuse_infinite(wanted: NumberColumn | CategoryColumn, column: Column, faults: Faults) -> None:
    """Add the fault that a column of numbers holds infinite ones."""
    if isinstance(wanted, NumberColumn) and (wrong := numpy.isinf(column.values)).any():
        first = Fault("data.at-row", {"row": int(wrong.argmax()) + 1})
        faults.add("data.infinite", place="x", column=wanted.name, count=int(wrong.sum()), at=first)


def fitting(wanted: NumberColumn | CategoryColumn, column: Column, faults: Faults) -> Column:
    """The column in the kind that the training data had: a file to predict may be typed otherwise."""
    if isinstance(wanted, CategoryColumn):
        return as_text(column)
    if column.kind in ("text", "other"):
        numbers, offset, row = cells_as_numbers(column.values.tolist(), wanted.kind, wanted.spelling)
        if row is not None:
            cell = column.values[row]
            other = wanted.kind != "date" and bool(best_fits([str(cell)]))
            phrase = "data.encode-date" if wanted.kind == "date" else "data.encode-number"
            told = {"column": wanted.name, "row": row + 1, "found": cell}
            if other:
                faults.add("data.encode-spelling", **told, spelling=wanted.spelling or POINT)
            else:
                faults.add(phrase, **told)
        return Column("number", numbers, offset=offset)
    return column


FittedColumn = NumberColumn | CategoryColumn


def columns_to_plain(columns: Sequence[FittedColumn]) -> list[dict[str, Any]]:
    """Columns as plain values that JSON can hold.

    >>> columns_from_plain(columns_to_plain([CategoryColumn("kind", ("a", "b"), missing=False)]))
    (CategoryColumn(name='kind', values=('a', 'b'), missing=False),)
    """
    names = {made: name for name, made in _COLUMNS.items()}
    return [{"type": names[type(column)], **asdict(column)} for column in columns]


def columns_from_plain(plain: Sequence[Mapping[str, Any]]) -> tuple[FittedColumn, ...]:
    """The columns that `columns_to_plain` wrote. KeyError, TypeError or ValueError where they are not of its form."""
    columns: list[FittedColumn] = []
    for column in plain:
        values: dict[str, Any] = {key: value for key, value in column.items() if key != "type"}
        if column["type"] == "category":
            values["values"] = tuple(values["values"])
        else:
            values.update({key: number(values[key]) for key in _MEASURED if values.get(key) is not None})
        columns.append(_COLUMNS[column["type"]](**values))
    return tuple(columns)


_MEASURED = ("median", "mean", "scale", "low", "high")
_COLUMNS: dict[str, type[FittedColumn]] = {"number": NumberColumn, "category": CategoryColumn}
