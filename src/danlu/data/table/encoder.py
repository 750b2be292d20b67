"""The fitted encoder of a table: a plain record of what each column becomes."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, Faults, nearest
from danlu.data.table.columns import Table
from danlu.data.table.fitted import CategoryColumn, NumberColumn, fitting, refuse_infinite
from danlu.data.table.frames import table_of
from danlu.data.table.outlying import table_remarks


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
            given = fitting(column, table[column.name], faults)
            refuse_infinite(column, given, faults)
            encoded += column.encode(given)
        faults.raise_if_any()
        with numpy.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused as such
            return torch.from_numpy(numpy.stack(encoded, axis=1).astype(numpy.float32))

    def unseen(self, table: Table) -> Iterator[tuple[int, Fault]]:
        """Of rows to be encoded, those with a category that the training part did not have, by number from 0."""
        for column in self.columns:
            if not isinstance(column, CategoryColumn) or column.name not in table:
                continue
            values = fitting(column, table[column.name], Faults()).values.tolist()
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
        return table_remarks(self.columns, table_of(raw))

    def facts(self) -> dict[str, Any]:
        columns = [{**asdict(column), "type": type(column).__name__} for column in self.columns]
        return {"features": list(self.features), "columns": columns}
