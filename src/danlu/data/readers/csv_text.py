"""Text of comma-separated values into typed columns, with the line named where the text is wrong."""

import csv
import io

from danlu.base.errors import Fault, fail
from danlu.data.readers.frames import drop_blank_rows, read_text_columns
from danlu.data.readers.text_file import decode_utf8
from danlu.data.table.columns import Table
from danlu.data.table.infer import column_from_text


def read_csv(content: bytes, path: str, separator: str) -> tuple[Table, tuple[Fault, ...]]:
    """The columns of UTF-8 text whose first line names them."""
    text = decode_utf8(content, path).rstrip("\r\n")
    notes: tuple[Fault, ...] = ()
    first_line = text.split("\n", 1)[0]
    if separator == "," and "," not in first_line and ";" in first_line:
        separator = ";"
        notes = (Fault("data.semicolons", {"path": path}),)
    header = _header(first_line if '"' not in first_line else text, path, separator)
    columns = read_text_columns(text.encode(), separator, len(header))
    # Short lines are filled up with gaps at their end, and lines that are too long make the reading fail: only then
    # is the slower search for the line worth its time.
    if columns is None or columns[-1].null_count():
        _refuse_ragged(text, path, separator, len(header))
    if columns is None:
        fail("data.not-csv", path=path)
    columns, blank = drop_blank_rows(columns)
    if blank:
        notes = (*notes, Fault("data.blank-rows", {"path": path, "count": blank}))
    if not len(columns[0]):
        fail("data.no-rows", path=path)
    return {name: column_from_text(column) for name, column in zip(header, columns, strict=True)}, notes


def _header(text: str, path: str, separator: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=separator), [])]
    if all(_is_number(name) for name in names):
        fail("data.no-header", path=path, found=", ".join(names[:4]))
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        fail("data.column-twice", path=path, column=twice)
    return names


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _refuse_ragged(text: str, path: str, separator: str, width: int) -> None:
    try:
        lines = csv.reader(io.StringIO(text), delimiter=separator)
        for fields in lines:
            if fields and len(fields) != width:
                fail("data.ragged", path=path, line=lines.line_num, found=len(fields), wanted=width)
    except csv.Error as error:
        fail("data.bad-csv-line", path=path, reason=error)
