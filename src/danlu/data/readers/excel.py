"""Sheets of Excel workbooks (.xlsx), read by fastexcel, which polars reads them by too; the extra `excel` brings it."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from danlu.base.errors import Fault, UserError, fail, nearest
from danlu.base.input_files import guarded, refuse_bomb
from danlu.base.naming import listed
from danlu.data.readers.header import refuse_no_header
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import drop_blank_rows

if TYPE_CHECKING:
    import polars

EXCEL = (".xlsx", ".xlsm")


def read_excel(content: bytes, path: str, header: bool | None, wanted: str | None) -> Sheet:
    """The columns of one sheet of a workbook: the one that is `wanted`, by name or number from 1; else the first that
    is not empty, and what the others are is told. Types are those of the cells, text stays text.

    UserError where it is no workbook (or one with a password), or fastexcel is not installed.
    """
    _refuse_forged(content, path)
    try:
        import fastexcel  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    except ImportError as error:
        raise UserError(Fault("figure.needs-extra", {"part": "fastexcel", "extra": "excel"})) from error
    with guarded(path, "tables.excel-damaged"):
        book: Any = fastexcel.read_excel(content)
        names: list[str] = list(book.sheet_names)
        filled = {name: book.load_sheet(name, header_row=None, n_rows=1).width > 0 for name in names}
    name, notes = _chosen(names, [name for name in names if filled[name]], wanted, path)
    if not filled[name]:
        fail("data.no-rows", path=f"{path}: {name}")
    with guarded(path, "tables.excel-damaged"):
        top: polars.DataFrame = book.load_sheet(name, header_row=None, n_rows=1, dtypes="string").to_polars()
        row = None if header is False else 0
        frame: polars.DataFrame = book.load_sheet(name, header_row=row, schema_sample_rows=None).to_polars()
    columns = [_typed(column) for column in frame.iter_columns()]
    first = [str(value or "").strip() for value in top.row(0)] if row == 0 else [str(n) for n in range(len(columns))]
    if not columns or not len(columns[0]):
        fail("data.no-rows", path=path)
    kept, there = drop_blank_rows(columns)
    lines = numpy.arange(len(there)) + (2 if row == 0 else 1)
    if not there.all():
        notes.append(
            Fault("data.blank-rows", {"path": path, "count": int((~there).sum()), "line": int(lines[~there][0])})
        )
    if not len(kept[0]):
        fail("data.no-rows", path=path)
    named = _named(first, kept, path, sure=header is not None)
    return Sheet(named, path, lines[there], tuple(notes), typed=True)


def _refuse_forged(content: bytes, path: str) -> None:
    """A workbook is a zip archive: what its parts unpack to is looked at before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                refuse_bomb(Path(path), entry.compress_size, entry.file_size)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError):
        fail("tables.excel-none", path=path)


def _chosen(names: list[str], filled: list[str], wanted: str | None, path: str) -> tuple[str, list[Fault]]:
    """The name of the sheet to read, and what there is to tell of that."""
    if not filled:
        fail("data.no-rows", path=path)
    if wanted is None:
        others = [name for name in filled if name != filled[0]]
        shown = listed(others)
        told = [Fault("tables.sheet-first", {"path": path, "sheet": filled[0], "others": shown})]
        return filled[0], told if others else []
    if wanted in names:
        return wanted, []
    if wanted.isdecimal() and 0 < int(wanted) <= len(names):
        return names[int(wanted) - 1], []
    shown = listed(names)
    return fail("tables.sheet-unknown", path=path, sheet=wanted, sheets=shown, hint=nearest(wanted, names))


def _typed(column: "polars.Series") -> "polars.Series":
    """Excel keeps every number with a fraction: whole ones are whole numbers again."""
    import polars

    if column.dtype == polars.String:
        texts = column.str.strip_chars()
        return texts.set(texts == "", None)
    if column.dtype != polars.Float64:
        return column
    present = column.drop_nulls()
    whole = len(present) and bool(((present == present.floor()) & (present.abs() < 2**53)).all())
    return column.cast(polars.Int64) if whole else column


def _named(names: list[str], columns: "list[polars.Series]", path: str, *, sure: bool) -> "dict[str, polars.Series]":
    import polars

    # A column without a name and without a value is what is left of one that was deleted.
    pairs = [(name, one) for name, one in zip(names, columns, strict=True) if name or one.null_count() < len(one)]
    names, columns = [name for name, _ in pairs], [one for _, one in pairs]
    if not sure:
        refuse_no_header(names, [one.cast(polars.String) for one in columns], path)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        fail("data.column-twice", path=path, column=twice)
    return dict(pairs)
