"""A user's file in portions, as a run and an exported network read it alike: rows of tables, arrays, lines of text,
pictures; without torch.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.input_files import guarded, open_file
from danlu.data.folder.scan import ENDINGS as PICTURES
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import read_table
from danlu.data.readers.text_file import read_text
from danlu.data.table.columns import Column, Sheet
from danlu.data.table.frames import table_of
from danlu.data.table.infer import cells_as_numbers

ARRAYS = (".npy",)
_AT_ONCE = 10_000  # rows that are encoded together


class FilePortion(NamedTuple):
    """Some samples of a file as they stand in it; `places` say where (a line, a number, the name of a picture), and
    `remarks` what there is to tell of the file.
    """

    places: Sequence[str]
    raw: Any
    remarks: tuple[Fault, ...] = ()


def table_portions(sheet: Sheet) -> Iterator[Sheet]:
    """A table as tables of no more than ten thousand rows."""
    for start in range(0, len(sheet), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        columns = {name: series[rows] for name, series in sheet.columns.items()}
        yield replace(sheet, columns=columns, lines=None if sheet.lines is None else sheet.lines[rows])


def lines_of(sheet: Sheet) -> list[str]:
    """The line of the file that each row stands in."""
    numbers = range(1, len(sheet) + 1) if sheet.lines is None else sheet.lines.tolist()
    return [str(number) for number in numbers]


def number_portions(path: Path, wanted: int, options: FileOptions) -> Iterator[FilePortion]:
    """The rows of a table as arrays [N, `wanted`] of numbers, its columns in their order."""
    sheet = read_table(path, options)
    if len(sheet.columns) != wanted:
        fail("ship.columns", path=path, found=len(sheet.columns), wanted=wanted)
    for part in table_portions(sheet):
        columns = [_numbers(name, column, part) for name, column in table_of(part).items()]
        yield FilePortion(lines_of(part), numpy.stack(columns, axis=1), sheet.notes)


def array_portions(path: Path) -> Iterator[FilePortion]:
    """The samples of an array [N, …] in a file of NumPy's."""
    with open_file(path) as file, guarded(path, "ship.array-damaged"):
        array = numpy.load(file, allow_pickle=False)
    for start in range(0, len(array), _AT_ONCE) if array.ndim else ():
        raw = array[start : start + _AT_ONCE]
        yield FilePortion([str(start + row + 1) for row in range(len(raw))], raw)


def text_portions(path: Path, options: FileOptions) -> Iterator[FilePortion]:
    """The lines of a text that are not blank; what is to be told of it comes with the first ones."""
    text, remarks = read_text(path, options.encoding)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for start in range(0, len(lines), _AT_ONCE):
        portion = lines[start : start + _AT_ONCE]
        yield FilePortion([str(number) for number, _ in portion], [line for _, line in portion], remarks)
        remarks = ()


def picture_portions(path: Path, most: int) -> Iterator[FilePortion]:
    """A picture, or those in a folder and below it, as files: no more than `most` at once."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(PICTURES) and file.is_file())
        if not files:
            fail("ship.no-pictures", path=path, kinds=", ".join(PICTURES))
    for start in range(0, len(files), most):
        portion = files[start : start + most]
        yield FilePortion([str(file.relative_to(path)) if path.is_dir() else "" for file in portion], portion)


def spelled(value: Any) -> str | float:
    """A label as it can be compared, whether it was read as text or not: "1", 1 and 1.0 are one, as "true" and True.

    >>> spelled("1.0"), spelled(True), spelled("true"), spelled("cat")
    (1.0, 1.0, 1.0, 'cat')
    """
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return float(value.strip().lower() == "true")
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else str(value)


def _numbers(name: str, column: Column, sheet: Sheet) -> "numpy.ndarray[Any, Any]":
    if column.kind not in ("text", "other"):
        return column.values + column.offset
    values, offset, odd = cells_as_numbers(column.values.tolist(), "number", "")
    if odd is not None:
        fail("ship.not-a-number", path=sheet.path, column=name, found=column.values[odd], at=sheet.place(odd))
    return values + offset
