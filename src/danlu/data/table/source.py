"""A table that was read, before it becomes a data set."""

from dataclasses import dataclass, field
from typing import Any

import numpy

from danlu.base.errors import Fault
from danlu.data.table.columns import Column, Sheet, Table


@dataclass(frozen=True)
class TableSource:
    """A table that was read: where it came from, what was decided, and the line of each row in its file (None where
    there is none). `parts` counts its rows part by part, as they stand one behind the other; "train" alone is split.
    `sheet` is what it was read from, before anything was made of its text. `no_features` are columns that only order,
    group or weight the rows, `left_out` those that the user wants nothing of.
    """

    table: Table
    place: str
    notes: tuple[Fault, ...] = ()
    lines: "numpy.ndarray[Any, Any] | None" = None
    parts: dict[str, int] = field(default_factory=dict[str, int])
    sheet: Sheet | None = None
    no_features: frozenset[str] = frozenset()
    left_out: Table = field(default_factory=dict[str, Column])

    def at(self, row: int) -> Fault:
        """Where row number `row`, counted from 0, stands."""
        if self.lines is None and self.sheet is not None:
            return self.sheet.place(row)
        if self.lines is None:
            return Fault("data.at-row", {"row": row + 1})
        return Fault("data.at-line", {"line": int(self.lines[row])})

    def column(self, name: str) -> Fault:
        """What a column is called in an error."""
        return Fault("data.place-column", {"path": self.place, "column": name})
