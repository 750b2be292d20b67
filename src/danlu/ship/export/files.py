"""Files that a user wants answers for, as what an exported net takes: the same kinds as for a run, without torch."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault, UserError, fail
from danlu.base.input_files import guarded, open_file, path_kind
from danlu.data.folder.decode import Head, Shape, common_shape, read_head, read_pixels
from danlu.data.folder.scan import ENDINGS as PICTURES
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.frames import table_of
from danlu.data.readers.table_file import KINDS, read_table
from danlu.data.readers.text_file import TEXTS, read_text
from danlu.data.table.columns import Column, Sheet
from danlu.data.table.infer import cells_as_numbers
from danlu.ship.export.feeds import Feeds, feeds_of, table_feeds
from danlu.ship.export.interface import Interface

ARRAYS = (".npy",)
_AT_ONCE = 10_000
_PICTURES_AT_ONCE = 64


@dataclass(frozen=True)
class FileRows:
    """Some samples of one file: where each stands in it, and what goes into the net; `targets` are the cells of the
    column that was to be predicted, where the file has it, and `remarks` what there is to tell of the file.
    """

    places: Sequence[str]
    feeds: Feeds
    targets: Sequence[Any] | None = None
    remarks: tuple[Fault, ...] = field(default=())


def read_file_rows(
    path: Path, interface: Interface, options: FileOptions, target: str | None = None
) -> Iterator[FileRows]:
    """The samples in a file, or in a folder of pictures, a portion at a time. UserError where it does not fit."""
    if path_kind(path) == "missing":
        fail("ship.no-such-file", path=path)
    name = path.name.lower()
    kinds = _kinds(interface)
    if not name.endswith(kinds) and not (path.is_dir() and kinds[0] in PICTURES):
        fail("ship.other-kind", path=path, kinds=", ".join(kinds), name=interface.plain["name"])
    if name.endswith(ARRAYS):
        yield from _array_rows(path, interface)
    elif interface.input == "table":
        yield from _table_rows(path, interface, options, target)
    elif interface.input == "texts":
        yield from _text_rows(path, interface, options)
    elif kinds[0] in PICTURES:
        yield from _picture_rows(path, interface)
    else:
        yield from _number_rows(path, interface, options)


def _kinds(interface: Interface) -> tuple[str, ...]:
    if interface.input in ("table", "texts"):
        return KINDS if interface.input == "table" else TEXTS
    pictures = interface.input == "pictures" or len(interface.sample_shape) in (2, 3)
    return (*PICTURES, *ARRAYS) if pictures else (*KINDS, *ARRAYS)


def _table_rows(path: Path, interface: Interface, options: FileOptions, target: str | None) -> Iterator[FileRows]:
    sheet = read_table(path, options)
    remarks = sheet.notes
    inputs = {column.name for column in interface.columns}
    for part in _parts(sheet):
        table = table_of(part)
        try:
            feeds = table_feeds(table, interface)
        except UserError as error:
            raise UserError(Fault("ship.in-file", {"path": path}), *error.faults) from None
        right = target in table and target not in inputs
        yield FileRows(_lines(part), feeds, _cells(table[str(target)]) if right else None, remarks)
        remarks = ()


def _cells(column: Column) -> list[Any]:
    """Cells as they can be compared with labels or numbers; None where there is none."""
    values = column.values if column.values.dtype == object else column.values + column.offset
    return [None if gap else value for value, gap in zip(values.tolist(), column.missing.tolist(), strict=True)]


def _parts(sheet: Sheet) -> Iterator[Sheet]:
    for start in range(0, len(sheet), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        columns = {name: series[rows] for name, series in sheet.columns.items()}
        yield replace(sheet, columns=columns, lines=None if sheet.lines is None else sheet.lines[rows])


def _lines(sheet: Sheet) -> list[str]:
    numbers = range(1, len(sheet) + 1) if sheet.lines is None else sheet.lines.tolist()
    return [str(number) for number in numbers]


def _number_rows(path: Path, interface: Interface, options: FileOptions) -> Iterator[FileRows]:
    sheet = read_table(path, options)
    wanted = math.prod(interface.sample_shape)
    if len(sheet.columns) != wanted:
        fail("ship.columns", path=path, found=len(sheet.columns), wanted=wanted)
    for part in _parts(sheet):
        raw = numpy.stack([_numbers(name, column, part) for name, column in table_of(part).items()], axis=1)
        yield FileRows(_lines(part), feeds_of(raw, interface), remarks=sheet.notes)


def _numbers(name: str, column: Column, sheet: Sheet) -> "numpy.ndarray[Any, Any]":
    if column.kind not in ("text", "other"):
        return column.values + column.offset
    values, offset, odd = cells_as_numbers(column.values.tolist(), "number", "")
    if odd is not None:
        fail("ship.not-a-number", path=sheet.path, column=name, found=column.values[odd], at=sheet.place(odd))
    return values + offset


def _picture_rows(path: Path, interface: Interface) -> Iterator[FileRows]:
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(PICTURES) and file.is_file())
        if not files:
            fail("ship.no-pictures", path=path, kinds=", ".join(PICTURES))
    for start in range(0, len(files), _PICTURES_AT_ONCE):
        portion = files[start : start + _PICTURES_AT_ONCE]
        names = [str(file.relative_to(path)) if path.is_dir() else "" for file in portion]
        yield FileRows(names, feeds_of(_on_scale(_pixels(portion, interface), interface), interface))


def _pixels(files: Sequence[Path], interface: Interface) -> "numpy.ndarray[Any, Any]":
    """Picture files as uint8 [N, C, H, W], of the size and the channels that the net takes."""
    channels, height, width = (1, *interface.sample_shape)[-3:]
    found: list[Any] = []
    faults: list[Fault] = []
    for file in files:
        head = read_head(file)
        white = common_shape([head], None).white if isinstance(head, Head) else 255.0
        pixels = read_pixels(file, Shape(channels, height, width, white)) if isinstance(head, Head) else head
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


def _array_rows(path: Path, interface: Interface) -> Iterator[FileRows]:
    with open_file(path) as file, guarded(path, "ship.array-damaged"):
        array = numpy.load(file, allow_pickle=False)
    for start in range(0, len(array), _AT_ONCE) if array.ndim else ():
        raw = array[start : start + _AT_ONCE]
        yield FileRows([str(start + row + 1) for row in range(len(raw))], feeds_of(raw, interface))


def _text_rows(path: Path, interface: Interface, options: FileOptions) -> Iterator[FileRows]:
    text, remarks = read_text(path, options.encoding)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for start in range(0, len(lines), _AT_ONCE):
        portion = lines[start : start + _AT_ONCE]
        feeds = feeds_of([line for _, line in portion], interface)
        yield FileRows([str(number) for number, _ in portion], feeds, remarks=remarks)
        remarks = ()
