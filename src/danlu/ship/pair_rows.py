"""Sources to be translated, from texts, lines and tables, with their right texts where these are known."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from danlu.base.errors import fail
from danlu.base.ignored import IGNORED
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import spelled_cells
from danlu.data.table.to_predict import Columns
from danlu.data.text.encoders import SourceEncoder, packed
from danlu.data.written_text import WrittenText
from danlu.ship.portions import FilePortion, file_tables
from danlu.ship.rows import Rows
from danlu.ship.text_columns import pair_columns, texts_in


def pair_file(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """The rows of a table in a file, a portion at a time."""
    for portion in file_tables(path, options):
        yield pair_rows(portion, fitted)


def pair_rows(portion: FilePortion, fitted: Preprocessing) -> Rows:
    """Rows of a table: the column of sources by its name, or the only one, or the first of two; that of targets by its
    name, or the second of two where the data had no names. UserError where the sources are not found, or one is empty.
    """
    sheet: Sheet = portion.raw
    assert isinstance(fitted.encoder, SourceEncoder)
    source, target = pair_columns(sheet, fitted.encoder.columns)
    sources = texts_in(sheet, source)
    rows = Rows(sheet.path, portion.places, fitted.encode(sources), remarks=portion.remarks)
    return rows if target is None else with_texts(rows, spelled_cells(sheet, target), fitted)


def with_texts(rows: Rows, texts: Sequence[Any], fitted: Preprocessing) -> Rows:
    """The rows with their right texts, of which None, or an empty one, is not known. UserError for what is no text."""
    assert isinstance(fitted.target, WrittenText)
    for row, text in enumerate(texts, start=1):
        if text is not None and not isinstance(text, str):
            fail("ship.not-a-text", row=row, found=type(text).__name__)
    known = [text if text and text.strip() else "" for text in texts]
    sources: list[Tensor] = list(rows.encoded)
    pairs, targets = packed(sources, fitted.target.encode(known))
    for row, text in enumerate(known):
        if not text:
            targets[row] = IGNORED
    return Rows(rows.file, rows.places, pairs, targets, rows.notes, rows.remarks)
