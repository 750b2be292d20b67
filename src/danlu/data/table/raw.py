"""The rows of a table as they were read: what a user would give to have them predicted."""

from typing import Any

import numpy

from danlu.data.dataset import Encoder, RawSamples
from danlu.data.label_cells import switched
from danlu.data.options import Options
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.columns import Column
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import FittedColumn, NumberColumn
from danlu.data.table.labelled import raw_column_texts
from danlu.data.table.pairs import pairs_table
from danlu.data.table.source import TableSource
from danlu.data.table.tagged import tagged_table
from danlu.data.table.to_predict import Columns, as_typed, target_names
from danlu.data.text.encoders import SourceEncoder, TextEncoder
from danlu.data.text.pairs import raw_pairs
from danlu.data.text.tagged import raw_tagged


def raw_rows(source: TableSource, target: Columns | None, numbers: list[int], encoder: Encoder) -> RawSamples:
    """Rows by their numbers: the columns that `encoder` takes, and the targets."""
    if isinstance(encoder, SourceEncoder):
        return raw_pairs(pairs_table(source, target, Options()), numbers, encoder)
    if isinstance(encoder, ColumnTexts):
        return raw_column_texts(source, target, numbers, encoder)
    if isinstance(encoder, TextEncoder):
        return raw_tagged(tagged_table(source, target, encoder.vocabulary.kind), numbers, encoder)
    assert isinstance(encoder, TableEncoder)
    rows = numpy.array(numbers, dtype=int)
    columns = {column.name: cells_of(source, column.name, rows, column) for column in encoder.columns}
    wanted, _ = target_names(source.table, target, source.place)
    targets = [as_typed(source.table[name].take(rows)).tolist() for name in wanted]
    if len(targets) == 1:
        return RawSamples("table", columns, targets[0])
    numbers = [values if (flags := switched(values)) is None else flags.tolist() for values in targets]
    return RawSamples("table", columns, [list(row) for row in zip(*numbers, strict=True)])


def cells_of(
    source: TableSource, name: str, rows: "numpy.ndarray[Any, Any]", fitted: FittedColumn | None = None
) -> list[Any]:
    """Some cells of a column as numbers, booleans or texts; as their source spells them where they are dates (else in
    days), or were `fitted` as something else than they look like.
    """
    column = source.table[name]
    kind = column.kind if fitted is None else fitted.kind if isinstance(fitted, NumberColumn) else "text"
    if source.sheet is not None and (column.kind == "date" or column.kind != kind):
        import polars

        spelled = source.sheet.columns[name]
        if spelled.dtype == polars.String:
            return spelled[rows.tolist()].to_list()
    return [_cell(column, value) for value in column.values[rows].tolist()]


def _cell(column: Column, value: Any) -> Any:
    if value is None or value != value:
        return None
    if column.kind == "boolean":
        return bool(value)
    return int(value) + column.offset if column.kind == "integer" else value
