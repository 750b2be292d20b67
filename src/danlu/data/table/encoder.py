"""The fitted encoder of a table: a plain record of what each column becomes."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, Faults, nearest
from danlu.data.ranges import Ranges, remarks
from danlu.data.readers.frames import table_of
from danlu.data.table.columns import Column, Kind, Table
from danlu.data.table.infer import cells_as_numbers

Floats = "numpy.ndarray[Any, numpy.dtype[numpy.float64]]"


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


@dataclass(frozen=True)
class TableEncoder:
    """What every column of a table becomes; the statistics are those of the training part alone."""

    columns: tuple[NumberColumn | CategoryColumn, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the encoded columns, one each."""
        return tuple(feature for column in self.columns for feature in column.features)

    def encode(self, raw: Any) -> Tensor:
        """Rows (a data frame, a dict of columns, one row or a list of rows as dicts) as float32 [N, features]."""
        return self.encode_table(table_of(raw))

    def encode_table(self, table: Table) -> Tensor:
        faults = Faults()
        encoded: list[Any] = []
        for column in self.columns:
            if column.name not in table:
                faults.add("data.encode-column", column=column.name, hint=nearest(column.name, table))
                continue
            given = _fitting(column, table[column.name], faults)
            _refuse_infinite(column, given, faults)
            encoded += column.encode(given)
        faults.raise_if_any()
        with numpy.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused as such
            return torch.from_numpy(numpy.stack(encoded, axis=1).astype(numpy.float32))

    def unseen(self, table: Table) -> Iterator[tuple[int, Fault]]:
        """Of rows to be encoded, those with a category that the training part did not have, by number from 0."""
        for column in self.columns:
            if not isinstance(column, CategoryColumn) or column.name not in table:
                continue
            values = _fitting(column, table[column.name], Faults()).values.tolist()
            for row, value in enumerate(values):
                if value is not None and value not in column.values:
                    yield row, Fault("data.unseen-category", {"column": column.name, "value": value})

    def describe(self, sample: Tensor) -> str:
        """One encoded row, float32 [features], as people wrote it: "Pclass 3 · Sex male · Age 22".

        >>> size = NumberColumn("size", "integer", median=2.0, mean=2.0, scale=2.0, flag=False)
        >>> TableEncoder((size, CategoryColumn("kind", ("a", "b"), missing=False))).describe(torch.tensor([0.5, 0, 1]))
        'size 3 · kind b'
        """
        numbers: list[float] = sample.tolist()
        shown: list[str] = []
        for column in self.columns:
            own, numbers = numbers[: len(column.features)], numbers[len(column.features) :]
            shown.append(f"{column.name} {column.show(own)}".strip())
        return " · ".join(shown)

    def remarks(self, raw: Any) -> tuple[Fault, ...]:
        """What is to be told of rows whose numbers lie far outside the training part's."""
        table = table_of(raw)
        known = [column for column in self.columns if isinstance(column, NumberColumn) and column.high is not None]
        known = [column for column in known if column.name in table]
        if not known:
            return ()
        given = [_fitting(column, table[column.name], Faults()) for column in known]
        values = [one.values + float(one.offset - column.offset) for one, column in zip(given, known, strict=True)]
        low, high = (tuple(float(getattr(column, end)) for column in known) for end in ("low", "high"))
        x = torch.from_numpy(numpy.stack(values, axis=1).astype(numpy.float64))
        return remarks(x, Ranges(low, high, (), (), False, 0.0, 0.0), tuple(column.name for column in known))

    def facts(self) -> dict[str, Any]:
        columns = [{**asdict(column), "type": type(column).__name__} for column in self.columns]
        return {"features": list(self.features), "columns": columns}


def _refuse_infinite(wanted: NumberColumn | CategoryColumn, column: Column, faults: Faults) -> None:
    if isinstance(wanted, NumberColumn) and (wrong := numpy.isinf(column.values)).any():
        first = Fault("data.at-row", {"row": int(wrong.argmax()) + 1})
        faults.add("data.infinite", place="x", column=wanted.name, count=int(wrong.sum()), at=first)


def _fitting(wanted: NumberColumn | CategoryColumn, column: Column, faults: Faults) -> Column:
    """The column in the kind that the training data had: a file to predict may be typed otherwise."""
    if isinstance(wanted, CategoryColumn):
        if column.kind == "text":
            return column
        cells = zip(column.values, column.missing, strict=True)
        texts = [None if gap else _as_text(value, column) for value, gap in cells]
        return Column("text", numpy.array(texts, dtype=object))
    if column.kind in ("text", "other"):
        numbers, offset, row = cells_as_numbers(column.values.tolist(), wanted.kind, wanted.spelling)
        if row is not None:
            faults.add("data.encode-number", column=wanted.name, row=row + 1, found=column.values[row])
        return Column("number", numbers, offset=offset)
    return column


def _as_text(value: float, column: Column) -> str:
    if column.kind == "boolean":
        return "true" if value else "false"
    return str(int(value) + column.offset) if column.kind == "integer" else str(value)
