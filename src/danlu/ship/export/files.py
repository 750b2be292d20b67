"""Files that a user wants answers for, as what an exported net takes: the same kinds as for a run, without torch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.input_files import path_kind
from danlu.data.decode import PictureHeader, Shape, common_shape, read_head, read_pixels
from danlu.data.folder.scan import ENDINGS as PICTURES
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import KINDS, is_table, read_table
from danlu.data.readers.text_file import TEXTS, is_text
from danlu.data.table.columns import Column, Sheet
from danlu.data.table.fitted import fitting
from danlu.data.table.frames import table_of
from danlu.ship.export.feeds import Feeds, feeds_of, series_feeds, table_feeds
from danlu.ship.export.interface import Interface
from danlu.ship.portions import (
    ARRAYS,
    FilePortion,
    answer_column,
    array_portions,
    class_folders,
    file_tables,
    files_meant,
    in_file,
    listed_portions,
    number_portions,
    picture_portions,
    text_file_portions,
    text_portions,
)
from danlu.ship.text_columns import texts_in

_IN_TABLES = ("table", "numbers")
_PICTURES_AT_ONCE = 64
_WINDOWS_AT_ONCE = 10_000
_MASKS_AT_ONCE = 16  # each pixel of which has a number a class


@dataclass(frozen=True)
class FileRows:
    """Some samples of one file: where each stands in it, and what goes into the net; `targets` are the cells of the
    column that was to be predicted, where the file has it, or lists of those of several, `remarks` what there is to
    tell of the file, and `beside` what else is told of each sample, by the name of its column.
    """

    places: Sequence[str]
    feeds: Feeds
    targets: Sequence[Any] | None = None
    remarks: tuple[Fault, ...] = field(default=())
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def read_file_rows(
    path: Path, interface: Interface, options: FileOptions, target: str | Sequence[str] | None = None
) -> Iterator[FileRows]:
    """The samples in a file, in the files of a pattern, in a folder of tables, pictures or texts, a portion at a time.
    UserError where it does not fit.
    """
    if interface.input == "several":
        fail("ship.several-from-files", path=path, names=", ".join(interface.layout.names))
    name, kinds = path.name.lower(), _kinds(interface)
    files = files_meant(path, rows=interface.input in _IN_TABLES and kinds[0] not in PICTURES)
    if files != [path]:
        for file in files:
            yield from read_file_rows(file, interface, options, target)
        return
    if path_kind(path) == "missing":
        fail("ship.no-such-file", path=path)
    if kinds[0] in PICTURES and is_table(path):
        yield from _listed_rows(path, interface, options, target)
        return
    if not name.endswith(kinds) and not (path.is_dir() and (kinds[0] in PICTURES or interface.texts_by_file)):
        fail("ship.other-kind", path=path, kinds=", ".join(kinds), name=interface.plain["name"])
    if name.endswith(ARRAYS):
        yield from (_rows(portion, interface) for portion in array_portions(path, interface.sample_shape))
    elif interface.input == "series":
        yield from _series_rows(read_table(path, options), interface)
    elif interface.input == "table":
        yield from (_table_rows(portion, interface, target) for portion in file_tables(path, options))
    elif interface.input == "texts":
        yield from _text_rows(path, interface, options, target)
    elif kinds[0] in PICTURES:
        yield from _picture_rows(path, interface)
    else:
        wanted = math.prod(interface.sample_shape)
        yield from (_rows(portion, interface) for portion in number_portions(path, wanted, options))


def _kinds(interface: Interface) -> tuple[str, ...]:
    if interface.input == "texts":
        return (*TEXTS, *KINDS) if interface.texts_of_table else TEXTS
    if interface.input in ("table", "series"):
        return KINDS
    pictures = interface.input == "pictures" or len(interface.sample_shape) in (2, 3)
    return (*PICTURES, *ARRAYS) if pictures else (*KINDS, *ARRAYS)


def _text_rows(
    path: Path, interface: Interface, options: FileOptions, target: str | Sequence[str] | None
) -> Iterator[FileRows]:
    """A text a line, or a file, as the run was trained; or, where it read them from a table, its rows. The right labels
    come with them where folders or columns say so.
    """
    if interface.texts_by_file and (is_text(path) or path.is_dir()):
        for portion in text_file_portions(path, options):
            feeds = feeds_of(portion.raw, interface)
            known = class_folders(portion.places, interface.labels.tolist())
            yield FileRows(portion.places, feeds, known, portion.remarks)
        return
    if is_text(path):
        yield from (_rows(portion, interface) for portion in text_portions(path, options))
        return
    for portion in file_tables(path, options):
        sheet: Sheet = portion.raw
        column = interface.text_column(sheet)
        feeds = feeds_of(texts_in(sheet, column), interface)
        names = _answer_columns(sheet, target, interface) if interface.task == "classification" else ()
        targets = _cells(table_of(sheet)[names[0]]) if names and names != (column,) else None
        yield FileRows(portion.places, feeds, targets, portion.remarks)


def _table_rows(portion: FilePortion, interface: Interface, target: str | Sequence[str] | None) -> FileRows:
    sheet: Sheet = portion.raw
    table = table_of(sheet)
    try:
        with portion.reading():
            feeds = table_feeds(table, interface)
    except UserError as error:
        raise UserError(*in_file(sheet.path, error.faults)) from None
    names = _answer_columns(sheet, target, interface)
    columns = [_cells(table[name]) for name in names]
    targets = None if not columns else columns[0] if len(columns) == 1 else [*map(list, zip(*columns, strict=True))]
    return FileRows(portion.places, feeds, targets, (*portion.remarks, *portion.placed(feeds.remarks)))


def _answer_columns(sheet: Sheet, target: str | Sequence[str] | None, interface: Interface) -> tuple[str, ...]:
    """The columns of a table that hold the right answers; none where one of them is missing."""
    names = interface.target_names
    if names:
        return names if all(name in sheet.columns for name in names) else ()
    alone = target if isinstance(target, str | None) else target[0]
    found = answer_column(sheet, alone, {column.name for column in interface.columns})
    return () if found is None else (found,)


def _series_rows(sheet: Sheet, interface: Interface) -> Iterator[FileRows]:
    """All windows of a table, some thousands at a time, with the values behind them as far as it has them."""
    layout, table = interface.windows, table_of(sheet)
    try:
        found = series_feeds(table, interface, sheet.place, sheet.path)
    except UserError as error:
        raise UserError(*in_file(sheet.path, error.faults)) from None
    windows, own = found.windows, fitting(interface.columns[0], table[layout.target], Faults())
    known = [*_cells(own), None]  # the last one: what is not there
    last = windows.rows[:, -1]
    numbers: list[int] = (last + 1 if sheet.lines is None else sheet.lines[last]).tolist()
    places, beside = [str(number) for number in numbers], layout.beside(windows)
    for first in range(0, len(windows), _WINDOWS_AT_ONCE):
        rows = slice(first, first + _WINDOWS_AT_ONCE)
        behind = [[known[row] for row in own] for own in windows.behind[rows].tolist()]
        remarks = () if first else (*sheet.notes, *found.feeds.remarks)
        told = {name: values[rows] for name, values in beside.items()}
        yield FileRows(places[rows], found.feeds.rows(rows), behind, remarks, told)


def _rows(portion: FilePortion, interface: Interface) -> FileRows:
    with portion.reading():
        feeds = feeds_of(portion.raw, interface)
    return FileRows(portion.places, feeds, remarks=(*portion.remarks, *portion.placed(feeds.remarks)))


def _cells(column: Column) -> list[Any]:
    """Cells as they can be compared with labels or numbers; None where there is none."""
    values = column.values if column.values.dtype == object else column.values + column.offset
    return [None if gap else value for value, gap in zip(values.tolist(), column.missing.tolist(), strict=True)]


def _picture_rows(path: Path, interface: Interface) -> Iterator[FileRows]:
    at_once = _MASKS_AT_ONCE if interface.task == "segmentation" else _PICTURES_AT_ONCE
    for portion in picture_portions(path, at_once):
        pixels = _on_scale(_pixels(portion.raw, interface), interface)
        known = interface.labels.tolist() if interface.task == "classification" else []
        yield FileRows(portion.places, feeds_of(pixels, interface), class_folders(portion.places, known))


def _listed_rows(
    path: Path, interface: Interface, options: FileOptions, target: str | Sequence[str] | None
) -> Iterator[FileRows]:
    """The pictures whose paths stand in a table, with the right answers where it has them."""
    named = tuple(target) if target is not None and not isinstance(target, str) else target
    for listed in listed_portions(path, options, interface.plain["name"], _PICTURES_AT_ONCE):
        names = _answer_columns(listed.sheet, listed.target(named), interface)
        targets = _cells(table_of(listed.sheet)[names[0]]) if names else None
        pixels = _on_scale(_pixels(listed.portion.raw, interface), interface)
        yield FileRows(listed.portion.places, feeds_of(pixels, interface), targets, listed.portion.remarks)


def _pixels(files: Sequence[Path], interface: Interface) -> "numpy.ndarray[Any, Any]":
    """Picture files as uint8 [N, C, H, W], of the size and the channels that the net takes."""
    channels, height, width = (1, *interface.sample_shape)[-3:]
    whole = interface.plain["encoder"].get("whole") is True
    trained = interface.plain["encoder"].get("white")  # deep pictures are as bright as those that were trained on
    found: list[Any] = []
    faults: list[Fault] = []
    for file in files:
        head = read_head(file)
        pixels: Any = head
        if isinstance(head, PictureHeader):
            white = trained or common_shape([head], None).white
            pixels = read_pixels(file, Shape(channels, height, width, white, whole))
        if isinstance(pixels, Fault):
            faults.append(pixels)
        else:
            found.append(pixels)
    if faults:
        raise UserError(*faults)
    return numpy.stack(found)


def _on_scale(pixels: "numpy.ndarray[Any, Any]", interface: Interface) -> "numpy.ndarray[Any, Any]":
    """Bytes of 0 to 255 on the scale of the pictures that were trained on."""
    encoder = interface.plain["encoder"]
    if interface.input == "pictures":
        peak = encoder["peak"]
        return pixels if peak == 255 else pixels * (peak / 255.0)
    ranges = encoder["ranges"]
    small = ranges is None or max(ranges["high"]) <= 1
    scaled = pixels / 255.0 if small else pixels.astype(numpy.float64)
    return scaled.reshape(len(scaled), *interface.sample_shape)
