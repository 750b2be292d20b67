"""Data frames into columns: the one place that knows polars (and, by duck typing, pandas)."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from danlu.base.errors import fail
from danlu.data.table.columns import Column, Table

if TYPE_CHECKING:
    import polars

MILLISECONDS_A_DAY = 86_400_000


def is_frame(raw: Any) -> bool:
    """Whether `raw` is a polars or pandas DataFrame, without importing either."""
    return type(raw).__name__ == "DataFrame" and hasattr(raw, "columns")


def table_of(raw: Any) -> Table:
    """A data frame, a dict of columns (or of one row's values), or a list of dicts, as columns."""
    import polars

    if isinstance(raw, polars.DataFrame):
        return {column.name: _column(column) for column in raw.iter_columns()}
    if is_frame(raw):
        named = {str(name): _values_of_pandas(raw[name]) for name in raw.columns}
    elif isinstance(raw, Mapping):
        named = {str(name): _as_list(values) for name, values in raw.items()}
    elif isinstance(raw, Sequence) and raw and all(isinstance(row, Mapping) for row in raw):
        names = dict.fromkeys(name for row in raw for name in row)
        named = {str(name): [row.get(name) for row in raw] for name in names}
    else:
        fail("data.not-a-table", found=type(raw).__name__)
    lengths = {len(values) for values in named.values()}
    if len(lengths) != 1:
        fail("data.ragged-array")
    return {name: _column(polars.Series(name, values, strict=False)) for name, values in named.items()}


def read_parquet(content: bytes, path: str) -> Table:
    """The columns of a Parquet file."""
    import polars

    try:
        frame = polars.read_parquet(io.BytesIO(content))
    except (polars.exceptions.PolarsError, OSError):
        fail("data.not-parquet", path=path)
    if frame.is_empty():
        fail("data.no-rows", path=path)
    return table_of(frame)


def read_text_columns(content: bytes, separator: str, width: int) -> "list[polars.Series] | None":
    """The columns of CSV text below its first line, all as text; None where polars cannot read it."""
    import polars

    try:
        frame = polars.read_csv(
            content,
            separator=separator,
            has_header=False,
            infer_schema=False,
            schema={f"column_{place}": polars.String for place in range(width)},
        )
    except polars.exceptions.PolarsError:
        return None
    return list(frame.slice(1).iter_columns())


def drop_blank_rows(columns: "list[polars.Series]") -> "tuple[list[polars.Series], int]":
    """The columns without the rows that have no value at all, and how many those were."""
    filled = columns[0].is_not_null()
    for column in columns[1:]:
        filled = filled | column.is_not_null()
    return [column.filter(filled) for column in columns], int((~filled).sum())


def _column(series: "polars.Series") -> Column:
    import polars

    kind = series.dtype
    if kind == polars.Boolean:
        return Column("boolean", _numbers(series))
    if kind.is_integer():
        return Column("integer", _numbers(series))
    if kind.is_float() or kind.is_decimal():
        return Column("number", _numbers(series))
    if kind == polars.Date or kind == polars.Datetime:
        return Column("date", _numbers(series.cast(polars.Datetime("ms")).cast(polars.Int64)) / MILLISECONDS_A_DAY)
    if kind == polars.Duration:
        return Column("date", _numbers(series.dt.total_milliseconds()) / MILLISECONDS_A_DAY)
    if kind == polars.String or kind == polars.Categorical or kind == polars.Enum or kind == polars.Null:
        return Column("text", series.cast(polars.String).to_numpy())
    return Column("other", numpy.full(len(series), None, dtype=object))


def _numbers(series: "polars.Series") -> "numpy.ndarray[Any, Any]":
    import polars

    return series.cast(polars.Float64).fill_null(float("nan")).to_numpy()


def _values_of_pandas(column: Any) -> list[Any]:
    return [None if gap else value for value, gap in zip(column.tolist(), column.isna().tolist(), strict=True)]


def _as_list(values: Any) -> list[Any]:
    if isinstance(values, str) or not hasattr(values, "__len__"):
        return [values]
    return list(values.tolist() if hasattr(values, "tolist") else values)
