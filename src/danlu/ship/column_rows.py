"""Texts to be classified, from a column of a table, with their right labels where the table has them."""

from collections.abc import Iterator
from pathlib import Path

from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import table_of
from danlu.data.table.to_predict import Columns
from danlu.ship.portions import FilePortion, file_tables
from danlu.ship.right_answers import answer_columns, column_targets
from danlu.ship.rows import Rows
from danlu.ship.text_columns import labelled_column, texts_in


def column_file(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """The rows of a table in a file, a portion at a time."""
    for portion in file_tables(path, options):
        yield column_rows(portion, fitted, target)


def column_rows(portion: FilePortion, fitted: Preprocessing, target: Columns | None) -> Rows:
    """Rows of a table: the column of texts by its name, or the only one there is. UserError where it is not found, or a
    text is empty.
    """
    sheet: Sheet = portion.raw
    assert isinstance(fitted.encoder, ColumnTexts)
    name = labelled_column(sheet, fitted.encoder.column)
    texts = texts_in(sheet, name)
    names = answer_columns(sheet, target, fitted)
    targets = column_targets(table_of(sheet), names, fitted) if names and names != (name,) else None
    return Rows(sheet.path, portion.places, fitted.encode(texts), targets, remarks=portion.remarks)
