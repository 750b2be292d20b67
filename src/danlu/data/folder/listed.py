"""Pictures whose paths stand in a table, with the class of each."""

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, fail
from danlu.base.naming import listed
from danlu.data.dataset import Dataset, Encoder, RawSamples, ReadSource
from danlu.data.folder.labelled import labelled
from danlu.data.folder.load import listing_builder
from danlu.data.folder.path_column import picture_paths
from danlu.data.folder.scan import MOST_TOLD, Listing, PictureFile, in_natural_order
from danlu.data.label_cells import labels_in, separator_of
from danlu.data.options import Options
from danlu.data.standard import Pixels
from danlu.data.table.columns import MOST_LISTED, Sheet
from danlu.data.table.spelling import is_plain
from danlu.data.table.to_predict import Columns, resolve_column, split_names


def listed_builder(name: str, sheets: Mapping[str, Sheet], column: str, target: Columns | None) -> ReadSource:
    """What makes a data set of the pictures in `column` of each part's table, with their classes in `target`."""
    first = sheets["train"]
    label, notes = _label(first, column, target)
    rows: dict[str, list[tuple[Path, str]]] = {}
    for part, sheet in sheets.items():
        for needed in (column, label):
            if needed not in sheet.columns:
                fail("data.part-column", path=sheet.path, column=needed, other=first.path)
        paths, labels = picture_paths(sheet, column, Path(sheet.path).parent), _labels(sheet, label)
        rows[part] = list(zip(paths, labels, strict=True))
    folder = Path(os.path.commonpath([path.parent.absolute() for found in rows.values() for path, _ in found]))
    notes = (*(note for sheet in sheets.values() for note in sheet.notes), *notes)
    place = Fault("data.place-column", {"path": first.path, "column": label})
    separator = separator_of([cell for _, cell in rows["train"]])
    classes = functools.cache(lambda: listing_builder(name, _of_classes(folder, sheets, rows, place, notes)))
    several = functools.cache(lambda: listing_builder(name, _of_labels(folder, rows, separator or ";", notes)))

    def build(options: Options) -> Dataset:
        wanted = options.task == "multi-label" or (separator is not None and options.task != "classification")
        return _build(several() if wanted else classes(), sheets, options)

    def raw(numbers: list[int], encoder: Encoder) -> RawSamples:
        # Where there are several labels a picture, nothing of it is cut away.
        read = several() if isinstance(encoder, Pixels) and encoder.whole else classes()
        assert read.raw is not None
        return read.raw(numbers, encoder)

    return ReadSource(build, raw)


Rows = Mapping[str, Sequence[tuple[Path, str]]]
"""The pictures of each part, and what the table says of them."""


def _of_classes(
    folder: Path, sheets: Mapping[str, Sheet], rows: Rows, place: Fault, notes: tuple[Fault, ...]
) -> Listing:
    """Each cell is a class."""
    classes = in_natural_order({name for _, name in rows["train"]})
    if len(classes) < 2:
        fail("data.target-constant", place=place, value=", ".join(classes))
    for part, found in rows.items():
        if strange := sorted({name for _, name in found} - {*classes}):
            fail("data.strange-classes", path=sheets[part].path, part=part, classes=listed(strange, MOST_TOLD))
    numbers = {name: number for number, name in enumerate(classes)}
    parts = {part: [_file(path, numbers[name]) for path, name in found] for part, found in rows.items()}
    return Listing(folder, classes, parts, notes, by_table=True)


def _of_labels(folder: Path, rows: Rows, separator: str, notes: tuple[Fault, ...]) -> Listing:
    """Each cell holds labels, `separator` between them."""
    parts = {part: [(path, labels_in(cell, separator)) for path, cell in found] for part, found in rows.items()}
    labels = in_natural_order({label for pairs in parts.values() for _, own in pairs for label in own})
    return labelled(folder, labels, parts, notes, separator=separator)


def _build(whole: ReadSource, sheets: Mapping[str, Sheet], options: Options) -> Dataset:
    """Columns that group or order the rows become a value for each picture of the training pool."""
    pool = [sheets[part] for part in ("train", "validation") if part in sheets]
    for key in ("group", "time"):
        given: Any = getattr(options, key)
        if isinstance(given, str) and all(given in sheet.columns for sheet in pool):
            options = replace(options, **{key: [value for sheet in pool for value in sheet.columns[given].to_list()]})
    return whole(options)


def _label(sheet: Sheet, column: str, target: Columns | None) -> tuple[str, tuple[Fault, ...]]:
    """The column of the classes, and what there is to tell of it and of the columns that are not used."""
    names = list(sheet.columns)
    others = [name for name in names if name != column]
    if target is None and len(others) != 1:
        fail("data.target-needed", place=sheet.path, columns=listed(names, MOST_LISTED), likely=(others or names)[-1])
    words = others if target is None else split_names(target, names)
    found = resolve_column(words[0], names)
    if found is None:
        fail("data.target-unknown", place=sheet.path, target=words[0], columns=listed(names, MOST_LISTED), hint="")
    if len(words) > 1 or found == column:
        fail("listed.one-target", path=sheet.path, column=column)
    beside = [name for name in others if name != found]
    told = [Fault("listed.read", {"path": sheet.path, "column": column, "target": found})]
    return found, (*told, *([Fault("listed.beside", {"columns": listed(beside, MOST_LISTED)})] if beside else []))


def _labels(sheet: Sheet, label: str) -> list[str]:
    """The classes as text. UserError where some are missing, or are fractions: what is measured is no class."""
    import polars

    series = sheet.columns[label]
    if series.dtype.is_float():
        fail("listed.no-classes", path=sheet.path, column=label)
    texts = series.cast(polars.String).str.strip_chars()
    numbers = [text for text in texts.drop_nulls().to_list() if is_plain(text)]
    if len(numbers) == len(texts) and any(not float(number).is_integer() for number in numbers):
        fail("listed.no-classes", path=sheet.path, column=label)
    empty = (texts.is_null() | (texts == "")).to_list()
    if True in empty:
        at = sheet.place(empty.index(True))
        fail("listed.no-label", path=sheet.path, at=at, column=label, count=sum(empty))
    return texts.to_list()


def _file(path: Path, label: int) -> PictureFile:
    status = path.stat()
    return PictureFile(path.absolute(), label, status.st_size, status.st_mtime_ns)


def wants_pictures(options: Options, column: str) -> bool:
    """Whether the pictures are meant, and not the other columns: these are where the column of paths is left out."""
    named: Sequence[str] | None = options.columns
    return column not in (options.drop or ()) and (named is None or column in named)
