"""A table as plain columns, whatever it was read from."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy

Kind = Literal["integer", "number", "boolean", "date", "text", "other"]


@dataclass(frozen=True)
class Column:
    """One column: numbers (also of booleans, and of dates as days since 1970) are float64 with NaN for what is missing;
    text is an object array of str with None for what is missing; "other" is of a type that nothing can be made of.
    """

    kind: Kind
    values: "numpy.ndarray[Any, Any]"

    @property
    def missing(self) -> "numpy.ndarray[Any, numpy.dtype[numpy.bool_]]":
        if self.values.dtype == object:
            return numpy.array([value is None for value in self.values], dtype=numpy.bool_)
        return numpy.isnan(self.values)

    def take(self, rows: "numpy.ndarray[Any, Any]") -> "Column":
        return Column(self.kind, self.values[rows])


Table = dict[str, Column]
"""Columns by name, all of one length."""
