"""Texts to be classified, from a column of a table, with their right labels where the table has them."""

from collections.abc import Iterator
from pathlib import Path

from danlu.base.errors import fail
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import spelled_cells, table_of
from danlu.data.table.labelled import ColumnTexts
from danlu.data.table.to_predict import Columns
from danlu.ship.portions import FilePortion, file_tables
from danlu.ship.right_answers import answer_columns, column_targets
from danlu.ship.rows import Rows


def column_file(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """The rows of a table in a file, a portion at a time."""
    for portion in file_tables(path, options):
        yield column_rows(portion, fitted, target)


def column_rows(portion: FilePortion, fitted: Preprocessing, target: Columns | None) -> Rows:
    """Rows of a table: the column of texts by its name, or the only one there is. UserError where it is not found, or a
    text is empty.
    """
    sheet: Sheet = portion.raw
    name = _column(sheet, fitted)
    texts = spelled_cells(sheet, name)
    empty = [row for row, text in enumerate(texts) if text is None or not text.strip()]
    if empty:
        fail("ship.no-source", path=sheet.path, column=name, count=len(empty), at=sheet.place(empty[0]))
    names = answer_columns(sheet, target, fitted)
    targets = column_targets(table_of(sheet), names, fitted) if names and names != (name,) else None
    return Rows(sheet.path, portion.places, fitted.encode(texts), targets, remarks=portion.remarks)


def _column(sheet: Sheet, fitted: Preprocessing) -> str:
    assert isinstance(fitted.encoder, ColumnTexts)
    names, wanted = list(sheet.columns), fitted.encoder.column
    if wanted not in names and len(names) != 1:
        fail("data.no-text-column", path=sheet.path, wanted=wanted, columns=", ".join(names))
    return wanted if wanted in names else names[0]
