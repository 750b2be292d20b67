"""The columns of a table that does not fit into memory: its values in a file, read column by column or row by row.

The file holds block behind block, and in a block column behind column, all as float64: numbers as they are, of text the
place in the column's list of texts (of very varied text a hash, which only tells rows apart), the line of each row
first. It lies in the cache folder, with a manifest; a file that is not whole is made anew.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy

from danlu.base.errors import Fault, UserError, fail
from danlu.data.kept_folders import FACTS
from danlu.data.table.columns import Column, Kind, LazyColumns

CELLS = "cells"
VALUE_BYTES = 8

Array = numpy.ndarray[Any, numpy.dtype[numpy.float64]]
Places = numpy.ndarray[Any, numpy.dtype[numpy.int64]]


@dataclass(frozen=True)
class StoredColumn:
    """What is known of a column; `texts` are its different ones where they are few enough, `varied` says that they are
    not: there are `different` ones at least. `sum` is a checksum of its text, and `refused` says why it cannot be read.
    """

    kind: Kind
    spelling: str = ""
    offset: int = 0
    remarks: tuple[Fault, ...] = ()
    texts: tuple[str, ...] = ()
    varied: bool = False
    different: int = 0
    example: str = ""
    sum: int = 0
    refused: Fault | None = None

    def plain(self) -> dict[str, Any]:
        """As plain values that JSON can hold."""
        remarks = [_fault_plain(one) for one in self.remarks]
        refused = None if self.refused is None else _fault_plain(self.refused)
        return {**vars(self), "remarks": remarks, "texts": list(self.texts), "refused": refused}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "StoredColumn":
        """What `plain` made. KeyError, TypeError or ValueError where it is not of that form."""
        refused = None if plain["refused"] is None else _fault(plain["refused"])
        remarks = tuple(_fault(one) for one in plain["remarks"])
        values: dict[str, Any] = {**plain, "remarks": remarks, "texts": tuple(plain["texts"]), "refused": refused}
        return cls(**values)


@dataclass(frozen=True)
class StoreFacts:
    """What stands in the manifest: the columns in their order, the rows of each part and of each block, the checksums
    of the blocks, and what is to be told.
    """

    columns: dict[str, StoredColumn]
    parts: dict[str, int]
    blocks: tuple[int, ...]
    sums: tuple[int, ...]
    notes: tuple[Fault, ...] = ()
    has_lines: bool = False
    semicolons: bool = False

    def plain(self) -> dict[str, Any]:
        columns = {name: column.plain() for name, column in self.columns.items()}
        return {**vars(self), "columns": columns, "notes": [_fault_plain(note) for note in self.notes]}

    @classmethod
    def read(cls, path: Path) -> "StoreFacts | None":
        """The manifest at `path`; None where there is none that is whole."""
        try:
            plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            plain["columns"] = {name: StoredColumn.from_plain(one) for name, one in plain["columns"].items()}
            plain["notes"] = tuple(_fault(one) for one in plain["notes"])
            values: dict[str, Any] = {**plain, "blocks": tuple(plain["blocks"]), "sums": tuple(plain["sums"])}
            return cls(**values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True, eq=False)
class ColumnStore:
    """The columns in a folder, and where in their file each block begins."""

    folder: Path
    facts: StoreFacts
    _first: Places = field(init=False, repr=False)  # row of each block
    _rows: Places = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = numpy.array(self.facts.blocks, dtype=numpy.int64)
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_first", numpy.concatenate([[0], rows.cumsum()[:-1]]).astype(numpy.int64))

    @classmethod
    def recall(cls, folder: Path) -> "ColumnStore | None":
        """The store in `folder`; None where there is none, or none that is whole."""
        facts = StoreFacts.read(folder / FACTS)
        if facts is None:
            return None
        width = len(facts.columns) + 1
        try:
            with (folder / CELLS).open("rb") as file:
                for rows, wanted in zip(facts.blocks, facts.sums, strict=True):
                    block = file.read(rows * width * VALUE_BYTES)
                    if len(block) != rows * width * VALUE_BYTES or zlib.crc32(block) != wanted:
                        return None
                return None if file.read(1) else cls(folder, facts)
        except (OSError, ValueError):
            return None

    def __len__(self) -> int:
        return sum(self.facts.blocks)

    @property
    def table(self) -> LazyColumns:
        return LazyColumns({name: partial(self.column, name) for name in self.facts.columns})

    def column(self, name: str) -> Column:
        """All rows of a column. UserError for one whose cells could not be told, or that is text too varied to hold."""
        stored = self.facts.columns[name]
        if stored.refused is not None:
            raise UserError(stored.refused)
        if stored.varied:
            fail("large.varied", column=name, example=stored.example)
        return self._made(stored, self.values(name))

    def lines(self) -> "numpy.ndarray[Any, Any] | None":
        """The line of each row, where the rows are lines of one text file."""
        return self.values(None).astype(numpy.int64) if self.facts.has_lines else None

    def values(self, name: str | None) -> Array:
        """What is kept of a column, float64 [rows]; of None the lines."""
        place, width = self._place(name), len(self.facts.columns) + 1
        values: Array = numpy.empty(len(self), dtype=numpy.float64)
        with (self.folder / CELLS).open("rb") as file:
            for first, rows in zip(self._first.tolist(), self.facts.blocks, strict=True):
                file.seek((first * width + place * rows) * VALUE_BYTES)
                # numpy.fromfile would take the file's position for its own
                values[first : first + rows] = numpy.frombuffer(file.read(rows * VALUE_BYTES))
        return values

    def take(self, names: Sequence[str], rows: "numpy.ndarray[Any, Any]") -> dict[str, Column]:
        """Some rows of some columns."""
        block = numpy.searchsorted(self._first, rows, side="right") - 1
        width = len(self.facts.columns) + 1
        begin, count = self._first[block], self._rows[block]
        inside = begin * width + (rows - begin)
        cells = numpy.memmap(self.folder / CELLS, dtype=numpy.float64, mode="r")
        taken = {name: numpy.asarray(cells[inside + self._place(name) * count]) for name in names}
        return {name: self._made(self.facts.columns[name], values) for name, values in taken.items()}

    def _place(self, name: str | None) -> int:
        return 0 if name is None else list(self.facts.columns).index(name) + 1

    def _made(self, stored: StoredColumn, values: Array) -> Column:
        if stored.kind == "text":
            texts = numpy.array([*stored.texts, None], dtype=object)
            made: Any = texts[numpy.where(numpy.isnan(values), len(stored.texts), values).astype(numpy.int64)]
        else:
            made = numpy.full(len(values), None, dtype=object) if stored.kind == "other" else values
        return Column(stored.kind, made, stored.spelling, stored.offset, stored.remarks)


def block_bytes(columns: Iterator[Array]) -> bytes:
    """A block as it stands in the file."""
    return b"".join(numpy.ascontiguousarray(column, dtype=numpy.float64).tobytes() for column in columns)


def _fault_plain(fault: Fault) -> dict[str, Any]:
    values = {
        key: _fault_plain(value)
        if isinstance(value, Fault)
        else value
        if isinstance(value, int | float)
        else str(value)
        for key, value in fault.values.items()
    }
    return {"id": fault.id, "values": values}


def _fault(plain: Mapping[str, Any]) -> Fault:
    values: dict[str, Any] = plain["values"]
    return Fault(
        plain["id"],
        {
            key: _fault(cast(Mapping[str, Any], value)) if isinstance(value, dict) else value
            for key, value in values.items()
        },
    )
