"""Data frames into columns: the one place that knows polars' frames (and, by duck typing, pandas')."""

import contextlib
import io
import os
import tempfile
import threading
import unicodedata
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.forked import refuse_forked
from danlu.base.input_files import guarded, refuse_irregular
from danlu.base.naming import listed
from danlu.data.table.columns import Column, Sheet, Table
from danlu.data.table.infer import text_column, typed_column

if TYPE_CHECKING:
    import polars


PARQUET_ROWS = 2**16


def is_frame(raw: Any) -> bool:
    """Whether `raw` is a polars or pandas DataFrame, or of a class derived from one, without importing either."""
    return any(kind.__name__ == "DataFrame" for kind in type(raw).__mro__) and hasattr(raw, "columns")


def columns_of_rows(rows: Sequence[Mapping[Any, Any]]) -> dict[Any, list[Any]]:
    """Rows as dicts as columns, None where a row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def collected(given: Any) -> Any:
    """The rows of polars' LazyFrame as a DataFrame; anything else as it is."""
    lazy = type(given).__name__ == "LazyFrame" and hasattr(given, "collect")
    return given.collect() if lazy else given


def is_series(raw: Any) -> bool:
    """Whether `raw` is one column of polars' or pandas', without importing either."""
    return type(raw).__name__ == "Series" and hasattr(raw, "to_list")


def rows_as_dicts(given: Any, columns: Collection[str]) -> Any:
    """A row of a frame, or a list of rows, as dicts: pandas' Series by the names of some `columns` (`frame.iloc[0]`),
    or a named tuple (`frame.itertuples()`). Anything else comes back as it is.

    >>> from collections import namedtuple
    >>> row = namedtuple("row", ["age", "town"])(30, "Ulm")
    >>> rows_as_dicts(row, ["age"]), rows_as_dicts([row], ["age"]), rows_as_dicts(row, ["size"])
    ({'age': 30, 'town': 'Ulm'}, [{'age': 30, 'town': 'Ulm'}], row(age=30, town='Ulm'))
    """
    if isinstance(given, list):
        rows = [_as_dict(row, columns) for row in cast(list[Any], given)]
        return given if None in rows else rows
    row = _as_dict(given, columns)
    return given if row is None else row


def _as_dict(raw: Any, columns: Collection[str]) -> dict[str, Any] | None:
    if is_series(raw) and hasattr(raw, "iloc"):
        row = dict(zip(map(str, raw.index), _values_of_pandas(raw), strict=True))
    elif isinstance(raw, tuple) and hasattr(raw, "_asdict"):
        row = cast(Any, raw)._asdict()
    else:
        return None
    return row if any(name in columns for name in row) else None


def is_tabular(given: Any) -> bool:
    """Whether it is a frame, a dict of columns or a list of rows as dicts."""
    several: Sequence[Any] = given if isinstance(given, list) else ()
    rows = len(several) > 0 and all(isinstance(row, Mapping) for row in several)
    return rows or is_frame(given) or isinstance(given, Mapping)


def spelled_cells(sheet: Sheet, name: str) -> list[Any]:
    """The cells of a column as they are spelled, also where they could be read as dates or numbers; None for a gap."""
    import polars

    return sheet.columns[name].cast(polars.String).to_list()


def sheet_of(raw: Any, place: str = "table") -> Sheet:
    """A data frame, a dict of columns (or of one row's values), or a list of dicts, in the types that they have."""
    import polars

    refuse_forked()
    if isinstance(raw, polars.DataFrame):
        return Sheet({column.name: column for column in raw.iter_columns()}, place, typed=True)
    if is_frame(raw):
        named = _named(
            (name, _values_of_pandas(raw.iloc[:, at] if hasattr(raw, "iloc") else raw[name]))
            for at, name in enumerate(raw.columns)
        )
    elif isinstance(raw, Mapping):
        named = _named((name, _as_list(values)) for name, values in raw.items())
    elif isinstance(raw, Sequence) and raw and all(isinstance(row, Mapping) for row in raw):
        named = _named(columns_of_rows(raw).items())
    else:
        fail("data.not-a-table", found=type(raw).__name__)
    lengths = {len(values) for values in named.values()}
    if len(lengths) > 1:
        fail("data.ragged-array")
    return Sheet({name: _series(name, values) for name, values in named.items()}, place, typed=True)


def table_of(raw: Any) -> Table:
    """Rows to be encoded, as columns: text stays text, for the encoder knows how it is to be read."""
    sheet = raw if isinstance(raw, Sheet) else sheet_of(raw)
    if not sheet.columns:
        fail("data.ragged-array")
    return {name: raw_column(series) for name, series in sheet.columns.items()}


def raw_column(series: "polars.Series") -> Column:
    """A column whose text is not interpreted."""
    import polars

    return text_column(series) if series.dtype == polars.String else typed_column(series)


def read_parquet(content: bytes, path: str) -> Sheet:
    """The columns of a Parquet file."""
    import polars

    with guarded(path, "data.not-parquet"), _without_panics():
        frame = polars.read_parquet(io.BytesIO(content))
    if frame.is_empty():
        fail("data.no-rows", path=path)
    return Sheet({column.name: column for column in frame.iter_columns()}, path, typed=True)


def parquet_blocks(path: Path) -> Iterator[Sheet]:
    """The rows of a Parquet file, some thousands at a time."""
    import polars

    refuse_irregular(path)
    with guarded(path, "data.not-parquet"), _without_panics():
        batches = polars.scan_parquet(path, glob=False).collect_batches(chunk_size=PARQUET_ROWS, maintain_order=True)
        for batch in batches:
            if len(batch):
                yield Sheet({column.name: column for column in batch.iter_columns()}, str(path), typed=True)


def read_text_columns(text: str, path: str, separator: str, width: int) -> "list[polars.Series] | None":
    """The columns of CSV text, all as text; None where polars cannot read it."""
    import polars

    try:
        with guarded(path):
            frame = polars.read_csv(
                text.encode(),
                separator=separator,
                has_header=False,
                infer_schema=False,
                schema={f"column_{place}": polars.String for place in range(width)},
            )
    except polars.exceptions.PolarsError:
        return None
    return list(frame.iter_columns())


def drop_blank_rows(columns: "list[polars.Series]") -> "tuple[list[polars.Series], numpy.ndarray[Any, Any]]":
    """The columns without the rows that have no value at all, and which rows were left."""
    filled = columns[0].is_not_null()
    for column in columns[1:]:
        filled = filled | column.is_not_null()
    return [column.filter(filled) for column in columns], filled.to_numpy()


def join_sheets(sheets: "Sequence[Sheet]") -> Sheet:
    """Sheets with the same columns, one behind the other; the lines are those of each in its own file."""
    import polars

    first = sheets[0]
    columns: dict[str, polars.Series] = {}
    for name, series in first.columns.items():
        pieces = [sheet.columns.get(name) for sheet in sheets]
        missing = next((sheet.path for sheet, piece in zip(sheets, pieces, strict=True) if piece is None), None)
        if missing is not None:
            fail("data.part-column", path=missing, column=name, other=first.path)
        joined = polars.DataFrame({name: series})
        for sheet, piece in zip(sheets[1:], pieces[1:], strict=True):
            try:
                joined = polars.concat([joined, polars.DataFrame({name: piece})], how="vertical_relaxed")
            except polars.exceptions.PolarsError:
                fail("data.part-type", path=sheet.path, column=name, other=first.path)
        columns[name] = joined[name]
    beside = [
        Fault("tables.columns-beside", {"path": sheet.path, "columns": listed(extra), "other": first.path})
        for sheet in sheets[1:]
        if (extra := [name for name in sheet.columns if name not in columns])
    ]
    lines = [sheet.lines for sheet in sheets if sheet.lines is not None]
    return Sheet(
        columns,
        first.path,
        numpy.concatenate(lines) if len(lines) == len(sheets) else None,
        (*(note for sheet in sheets for note in sheet.notes), *beside),
        any(sheet.semicolons for sheet in sheets),
        any(sheet.typed for sheet in sheets),
        tuple(file for sheet in sheets for file in sheet.files or (sheet,)) if any(one.files for one in sheets) else (),
    )


def join_rows(sheets: "Sequence[Sheet]") -> Sheet:
    """Sheets with the same columns as one, whose rows know the file that they stand in."""
    return sheets[0] if len(sheets) == 1 else replace(join_sheets(sheets), lines=None, files=tuple(sheets))


def _named(columns: Any) -> dict[str, list[Any]]:
    """Columns by the text of their names, which must differ as text too."""
    named: dict[str, list[Any]] = {}
    for name, values in columns:
        text = str(name)
        if text in named:
            fail("data.names-alike", column=name)
        if any(unicodedata.category(sign) == "Cs" for sign in text):
            fail("data.name-not-text", column=ascii(text))
        named[text] = values
    return named


def _series(name: str, values: list[Any]) -> "polars.Series":
    import polars

    if any(isinstance(value, str) for value in values):
        # A NaN among texts would become a text of its own.
        values = [None if isinstance(value, float) and value != value else value for value in values]
    elif any(isinstance(value, float) for value in values) and any(
        isinstance(value, int) and abs(value) > 2**53 for value in values
    ):
        fail("data.mixed-large", column=name)
    try:
        return polars.Series(name, values, strict=False)
    except (polars.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return polars.Series(name, values, dtype=polars.Object)


def _values_of_pandas(column: Any) -> list[Any]:
    return [None if gap else value for value, gap in zip(column.tolist(), column.isna().tolist(), strict=True)]


def _as_list(values: Any) -> list[Any]:
    if isinstance(values, str) or not hasattr(values, "__len__"):
        return [values]
    return list(values.tolist() if hasattr(values, "tolist") else values)


_STANDARD_ERROR = threading.Lock()


@contextlib.contextmanager
def _without_panics() -> Generator[None]:
    """What polars' own runtime prints when it panics over damaged bytes is dropped: the error says it. One thread at a
    time, or a second would take the first one's file for standard error.
    """
    with _STANDARD_ERROR, _diverted():
        yield


@contextlib.contextmanager
def _diverted() -> Generator[None]:
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
            printed.seek(0)
            os.write(kept, printed.read())
        finally:
            os.dup2(kept, 2)
            os.close(kept)
