"""A user's file in portions, as a run and an exported network read it alike: rows of tables, arrays, lines of text,
pictures; without torch.
"""

import contextlib
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from danlu.base.errors import Fault, UserError, fail
from danlu.base.input_files import guarded, open_file, path_kind
from danlu.data.folder.path_column import picture_column, picture_paths
from danlu.data.folder.scan import ENDINGS as PICTURES
from danlu.data.folder.scan import TEXT_ENDINGS as TEXT_FILES
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.several_files import files_of, is_pattern, tables_in
from danlu.data.readers.table_blocks import read_table_blocks
from danlu.data.readers.text_file import read_text, read_texts
from danlu.data.table.columns import Column, Sheet
from danlu.data.table.frames import table_of
from danlu.data.table.infer import cells_as_numbers

ARRAYS = (".npy",)
_AT_ONCE = 10_000  # rows that are encoded together
_FILES_AT_ONCE = 1000  # files of a text each


class FilePortion(NamedTuple):
    """Some samples of a file as they stand in it; `places` say where (a line, a number, the name of a picture),
    `remarks` what there is to tell of the file, and `before` how many samples of it came in earlier portions.
    """

    places: Sequence[str]
    raw: Any
    remarks: tuple[Fault, ...] = ()
    before: int = 0

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """Around whatever reads the samples: a row that an error names is called as in `places`."""
        try:
            yield
        except UserError as error:
            raise UserError(*self.placed(error.faults)) from None

    def placed(self, faults: Sequence[Fault]) -> tuple[Fault, ...]:
        """What was said of rows of the portion, said of places in the file, as the answers name them."""
        return tuple(self._placed(fault) for fault in faults)

    def _placed(self, fault: Fault) -> Fault:
        values = {
            name: self._placed(value) if isinstance(value, Fault) else value for name, value in fault.values.items()
        }
        row = values.get("row")
        if not isinstance(row, int):
            return Fault(fault.id, values)
        place = self.places[row - 1] if 0 < row <= len(self.places) else ""
        return Fault(fault.id, {**values, "row": int(place) if place.isdecimal() else row + self.before})


def in_file(path: str, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Faults with the file that each of them is in."""
    return tuple(Fault("ship.in-file", {"path": path, "what": fault}) for fault in faults)


def files_meant(path: Path, *, rows: bool) -> list[Path]:
    """The files that a pattern stands for, or a folder of nothing but tables, where `rows` of tables are wanted; else
    the path as it is.
    """
    if is_pattern(path):
        return files_of(path)
    return (tables_in(path) if rows and path_kind(path) == "folder" else []) or [path]


def file_tables(path: Path, options: FileOptions) -> Iterator[FilePortion]:
    """The rows of the table in a file, as tables of no more than ten thousand rows."""
    before = 0
    for sheet in read_table_blocks(path, options):
        yield from table_portions(sheet, before)
        before += len(sheet)


def table_portions(sheet: Sheet, before: int = 0) -> Iterator[FilePortion]:
    """A table, `before` which so many rows stand in its file, as tables of no more than ten thousand rows."""
    for start in range(0, len(sheet), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        columns = {name: series[rows] for name, series in sheet.columns.items()}
        part = replace(sheet, columns=columns, lines=None if sheet.lines is None else sheet.lines[rows])
        numbers = (
            range(before + start + 1, before + start + len(part) + 1) if part.lines is None else part.lines.tolist()
        )
        places = [str(number) for number in numbers]
        yield FilePortion(places, part, () if start else sheet.notes, before + start)


def answer_column(sheet: Sheet, target: str | None, known: set[str]) -> str | None:
    """The column of the right answers: by its name, or by its number where the file has one column more than needed;
    `known` are those that the net takes.
    """
    if target is None or target in known:
        return None
    if target in sheet.columns:
        return target
    try:
        name = list(sheet.columns)[int(target)]
    except (ValueError, IndexError):
        return None
    return None if name in known else name


def number_portions(path: Path, wanted: int, options: FileOptions) -> Iterator[FilePortion]:
    """The rows of a table as arrays [N, `wanted`] of numbers, its columns in their order."""
    for portion in file_tables(path, options):
        sheet: Sheet = portion.raw
        if len(sheet.columns) != wanted:
            fail("ship.columns", path=path, found=len(sheet.columns), wanted=wanted)
        with portion.reading():
            columns = [_numbers(name, column, sheet) for name, column in table_of(sheet).items()]
        yield portion._replace(raw=numpy.stack(columns, axis=1))


def array_portions(path: Path, sample_shape: tuple[int, ...]) -> Iterator[FilePortion]:
    """The samples of an array [N, …] in a file of NumPy's, or the one that it is: see `_forms`."""
    with open_file(path) as file, guarded(path, "ship.array-damaged"):
        array = numpy.load(file, allow_pickle=False)
    if array.shape in _forms(sample_shape):
        array = array[None]
    if array.ndim == 0 or len(array) == 0:
        fail("data.no-rows", path=path)
    for start in range(0, len(array), _AT_ONCE):
        raw = array[start : start + _AT_ONCE]
        yield FilePortion([str(start + row + 1) for row in range(len(raw))], raw, before=start)


def _forms(sample_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes of one sample by itself; of a picture with its channels first, last, or without its only one.

    >>> _forms((4,)), _forms((1, 8, 8))
    ([(4,)], [(1, 8, 8), (8, 8, 1), (8, 8)])
    """
    if len(sample_shape) != 3:
        return [sample_shape]
    channels, *sides = sample_shape
    return [sample_shape, (*sides, channels), *([(*sides,)] if channels == 1 else [])]


def text_portions(path: Path, options: FileOptions) -> Iterator[FilePortion]:
    """The lines of a text that are not blank; what is to be told of it comes with the first ones."""
    text, remarks = read_text(path, options.encoding)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for start in range(0, len(lines), _AT_ONCE):
        portion = lines[start : start + _AT_ONCE]
        yield FilePortion([str(number) for number, _ in portion], [line for _, line in portion], remarks, start)
        remarks = ()


def text_file_portions(path: Path, options: FileOptions) -> Iterator[FilePortion]:
    """What a file holds as one text, or those in a folder and below it; of several lines in one file that is told."""
    files = _files_in(path, TEXT_FILES)
    for start in range(0, len(files), _FILES_AT_ONCE):
        portion = files[start : start + _FILES_AT_ONCE]
        texts, remarks = read_texts(portion, options.encoding)
        lines = 0 if path.is_dir() else len([line for line in texts[0].splitlines() if line.strip()])
        told = (Fault("ship.file-is-one-text", {"path": path, "lines": lines}),) if lines > 1 else ()
        yield FilePortion(_places_in(path, portion), texts, (*told, *remarks), start)


def picture_portions(path: Path, most: int) -> Iterator[FilePortion]:
    """A picture, or those in a folder and below it, as files: no more than `most` at once."""
    files = _files_in(path, PICTURES)
    for start in range(0, len(files), most):
        portion = files[start : start + most]
        yield FilePortion(_places_in(path, portion), portion, before=start)


class ListedPictures(NamedTuple):
    """Some pictures that a table lists, as files, and the rows of the table that they stand in."""

    portion: FilePortion
    sheet: Sheet
    column: str

    def target(self, named: "str | tuple[str, ...] | None") -> "str | tuple[str, ...] | None":
        """The column of the right answers: the one `named`, else the only other one there is."""
        others = [name for name in self.sheet.columns if name != self.column]
        return named if named is not None or len(others) != 1 else others[0]


def listed_portions(path: Path, options: FileOptions, name: str, most: int) -> Iterator[ListedPictures]:
    """The pictures whose paths stand in a table, no more than `most` at once. UserError where it has none, for a net
    trained on `name`.
    """
    for portion in file_tables(path, options):
        sheet: Sheet = portion.raw
        column = picture_column(sheet, path.parent)
        if column is None:
            fail("listed.no-column", path=path, name=name)
        paths = picture_paths(sheet, column, path.parent)
        for first in range(0, len(paths), most):
            rows = slice(first, first + most)
            columns = {name: series[rows] for name, series in sheet.columns.items()}
            part = replace(sheet, columns=columns, lines=None if sheet.lines is None else sheet.lines[rows])
            remarks = () if first else portion.remarks
            some = FilePortion(portion.places[rows], paths[rows], remarks, portion.before + first)
            yield ListedPictures(some, part, column)


def _files_in(path: Path, endings: tuple[str, ...]) -> list[Path]:
    """The file itself, or those in a folder and below it whose names end so. UserError where there are none."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(endings) and file.is_file())
    if not files:
        fail("ship.no-files-in", path=path, kinds=", ".join(endings))
    return files


def _places_in(path: Path, files: Sequence[Path]) -> list[str]:
    return [str(file.relative_to(path)) if path.is_dir() else "" for file in files]


def class_folders(places: Sequence[str], classes: Sequence[Any]) -> list[str | None] | None:
    """Of each place the innermost folder that is called as a class is; None where there is none at all.

    >>> class_folders(["test/cat/1.png", "2.png"], ["cat", "dog"])
    ['cat', None]
    """
    known = {spelled(one) for one in classes}
    found = [next((one for one in Path(place).parts[-2::-1] if spelled(one) in known), None) for place in places]
    return found if any(one is not None for one in found) else None


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
