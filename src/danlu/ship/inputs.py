"""Files that a user wants answers for, as samples that a net takes: rows of tables, pictures, arrays, lines of text."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from danlu import ship
from danlu.base.errors import UserError, fail
from danlu.base.input_files import path_kind
from danlu.data.folder.scan import ENDINGS as PICTURES
from danlu.data.place_labels import TokenLabels
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.conll import CONLL, is_conll, read_conll
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import KINDS, is_table
from danlu.data.readers.text_file import TEXTS, is_text
from danlu.data.series.encoder import WindowEncoder
from danlu.data.several_encoder import layout_of
from danlu.data.standard import Pixels
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.frames import table_of
from danlu.data.table.outlying import table_remarks
from danlu.data.table.to_predict import Columns
from danlu.data.text.encoders import SourceEncoder, TextEncoder, pad_tags
from danlu.ship.answer_table import notes_of
from danlu.ship.column_rows import column_file
from danlu.ship.pair_rows import pair_file
from danlu.ship.portions import (
    ARRAYS,
    FilePortion,
    array_portions,
    file_tables,
    files_meant,
    in_file,
    number_portions,
    text_file_portions,
    text_portions,
)
from danlu.ship.right_answers import answer_columns, column_targets, folder_targets
from danlu.ship.rows import Rows
from danlu.ship.series_rows import series_file


def read_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """The samples in a file, in the files of a pattern, in a folder of tables, pictures or texts, a portion at a time,
    so that a large file needs little memory.

    `target` is the column that the net was trained to predict, which a table may have or not. UserError, with all that
    is wrong, where the file is not of the kind that the net takes.
    """
    if (layout := layout_of(fitted.encoder)) is not None:
        fail("ship.several-from-files", path=path, names=", ".join(layout.names))
    reader, kinds = _reader(fitted)
    files = files_meant(path, rows=reader in (_table_rows, _number_rows))
    if files != [path]:
        for file in files:
            yield from read_rows(file, fitted, target, options)
        return
    if path_kind(path) == "missing":
        fail("ship.no-such-file", path=path)
    if kinds[0] in PICTURES and is_table(path):
        yield from ship.listed_rows(path, fitted, target, options)
        return
    fits = path.name.lower().endswith(kinds)
    if not fits and not (path.is_dir() and (kinds[0] in PICTURES or _is_by_file(fitted))):
        fail("ship.other-kind", path=path, kinds=", ".join(kinds), name=fitted.name)
    if path.name.lower().endswith(ARRAYS):
        reader = _array_rows
    yield from reader(path, fitted, target, options)


_Reader = Callable[[Path, Preprocessing, Columns | None, FileOptions], Iterator[Rows]]


def _reader(fitted: Preprocessing) -> tuple[_Reader, tuple[str, ...]]:
    """What reads the files that a net of this kind takes, and the ends of their names."""
    if isinstance(fitted.encoder, TableEncoder):
        return _table_rows, KINDS
    if isinstance(fitted.encoder, WindowEncoder):
        return series_file, KINDS
    if isinstance(fitted.target, TokenLabels):
        return _tagged_rows, (*TEXTS, *CONLL)
    if isinstance(fitted.encoder, SourceEncoder):
        return _source_rows, (*TEXTS, *KINDS)
    if isinstance(fitted.encoder, ColumnTexts):
        return _labelled_rows, (*TEXTS, *KINDS)
    if isinstance(fitted.encoder, TextEncoder):
        return _text_rows, TEXTS
    if isinstance(fitted.encoder, Pixels) or len(fitted.sample_shape) in (2, 3):
        return ship.picture_rows, (*PICTURES, *ARRAYS)
    return _number_rows, (*KINDS, *ARRAYS)


def _table_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    for portion in file_tables(path, options):
        yield table_rows(portion, fitted, target)


def table_rows(portion: FilePortion, fitted: Preprocessing, target: Columns | None) -> Rows:
    """Rows of a table with the answers in the column `target`, or several, where it has them."""
    encoder, sheet = fitted.encoder, portion.raw
    assert isinstance(encoder, TableEncoder)
    names = answer_columns(sheet, target, fitted)
    table = table_of(sheet)
    try:
        with portion.reading():
            encoded = encoder.encode_table(table)
    except UserError as error:
        raise UserError(*in_file(sheet.path, error.faults)) from None
    targets = column_targets(table, names, fitted) if names else None
    remarks = (*portion.remarks, *portion.placed(table_remarks(encoder.columns, table)))
    return Rows(sheet.path, portion.places, encoded, targets, notes_of(encoder.unseen(table)), remarks)


def _number_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """Rows of a table for a net that was trained on arrays without names: its columns, all numbers, in their order."""
    for portion in number_portions(path, math.prod(fitted.sample_shape), options):
        yield _encoded(path, portion, fitted)


def _array_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    for portion in array_portions(path, tuple(fitted.sample_shape)):
        yield _encoded(path, portion, fitted)


def _text_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    for portion in text_portions(path, options):
        yield _encoded(path, portion, fitted)


def _source_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """A text a line, or the rows of a table."""
    reader = _text_rows if is_text(path) else pair_file
    yield from reader(path, fitted, target, options)


def _labelled_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """A text a line, or a file, as the network was trained; or the rows of a table."""
    if not is_text(path) and not path.is_dir():
        yield from column_file(path, fitted, target, options)
    elif not _is_by_file(fitted):
        yield from _text_rows(path, fitted, target, options)
    else:
        for portion in text_file_portions(path, options):
            targets = folder_targets(portion.places, fitted)
            yield Rows(str(path), portion.places, fitted.encode(portion.raw), targets, remarks=portion.remarks)


def _is_by_file(fitted: Preprocessing) -> bool:
    return isinstance(fitted.encoder, ColumnTexts) and fitted.encoder.by_file


def _tagged_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """Sentences with their tags, of a file that has these, or a text a line."""
    if not is_conll(path):
        yield from _text_rows(path, fitted, target, options)
        return
    assert isinstance(fitted.target, TokenLabels)
    found = read_conll(path, options.encoding)
    encoded = fitted.encode(found.tokens)
    places = [str(row + 1) for row in range(len(encoded))]
    yield Rows(str(path), places, encoded, pad_tags(found.tags, fitted.target), remarks=found.notes)


def _encoded(path: Path, portion: FilePortion, fitted: Preprocessing) -> Rows:
    with portion.reading():
        encoded = fitted.encode(portion.raw)
    remarks = (*portion.remarks, *portion.placed(fitted.remarks(portion.raw)))
    return Rows(str(path), portion.places, encoded, remarks=remarks)
