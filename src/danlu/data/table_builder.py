"""From a table that was read to its data set: of rows, of windows of rows, of texts with their tags, or of pairs."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from danlu.base.errors import Fault, Faults, fail
from danlu.base.naming import listed
from danlu.data.dataset import Dataset, Encoder, Origin, RawSamples, ReadSource
from danlu.data.folder.listed import listed_builder, wants_pictures
from danlu.data.folder.path_column import picture_column
from danlu.data.large.dataset import LargeSource, large_dataset, large_source
from danlu.data.large.files import LargeFiles, is_large
from danlu.data.options import Options
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.several_files import parts_in, read_tables, refuse_mixed_endings, without_answers
from danlu.data.readers.table_blocks import read_table_blocks
from danlu.data.readers.table_file import read_table
from danlu.data.series.encoder import WindowEncoder
from danlu.data.series.load import series_dataset
from danlu.data.series.raw import raw_windows
from danlu.data.standard import Pixels
from danlu.data.table.chosen import chosen_columns
from danlu.data.table.columns import Sheet
from danlu.data.table.labelled import labelled_dataset, text_and_label
from danlu.data.table.load import source_of, table_dataset
from danlu.data.table.pairs import holds_pairs, pairs_table
from danlu.data.table.raw import raw_rows
from danlu.data.table.source import TableSource
from danlu.data.table.tagged import tagged_table
from danlu.data.table.to_predict import Columns, resolve_column, split_names
from danlu.data.text.pairs import pairs_dataset
from danlu.data.text.tagged import tagged_dataset


def table_builder(name: str, source: TableSource, target: Columns | None, origin: Origin | None = None) -> ReadSource:
    """What makes a data set of a table, of windows, tagged texts or pairs where they are asked for, and hands out its
    rows. Two columns of texts are pairs where nothing is asked for: see `holds_pairs`; what is a text with its class,
    `text_and_label`.
    """

    def build(options: Options) -> Dataset:
        chosen, named, rest = chosen_columns(source, target, options)
        if rest.task == "tagging":
            tagged = tagged_table(chosen, named, rest.tokens)
            return tagged_dataset(name, tagged, rest, origin or Origin(source.place))
        if holds_pairs(chosen, named, rest):
            pairs = pairs_table(chosen, named, rest)
            return pairs_dataset(name, pairs, rest, origin or Origin(source.place))
        if (columns := text_and_label(chosen, named, rest)) is not None:
            return labelled_dataset(name, chosen, columns, rest, origin or Origin(source.place))
        make = table_dataset if rest.window is None else series_dataset
        return make(name, chosen, named, rest, origin=origin)

    def raw(numbers: list[int], encoder: Encoder) -> RawSamples:
        if isinstance(encoder, WindowEncoder):
            return raw_windows(source, numbers, encoder)
        return raw_rows(source, target, numbers, encoder)

    return ReadSource(build, raw)


def sheets_builder(name: str, sheets: Mapping[str, Sheet], target: Columns | None, origin: Origin) -> ReadSource:
    """What makes a data set of a table in a file, or in one for each part: of its rows, or of the pictures that it
    lists, where a column has the paths of such and is not left out.
    """
    column = picture_column(sheets["train"], Path(sheets["train"].path).parent)
    if column is None:
        return table_builder(name, source_of(sheets, target), target, origin)
    pictures = functools.cache(lambda: listed_builder(name, sheets, column, target))
    rows = functools.cache(lambda: table_builder(name, source_of(sheets, target), target, origin))

    def raw(numbers: list[int], encoder: Encoder) -> RawSamples:
        read = pictures() if isinstance(encoder, Pixels) else rows()
        assert read.raw is not None
        return read.raw(numbers, encoder)

    return ReadSource(lambda options: (pictures if wants_pictures(options, column) else rows)()(options), raw)


def large_builder(
    name: str,
    place: Path,
    parts: Mapping[str, Sequence[Path]],
    target: Columns | None,
    options: FileOptions,
    told: Sequence[Fault] = (),
) -> ReadSource:
    """What makes a data set of a table whose rows are kept on the disk, in the files of each part."""
    first = {part: next(read_table_blocks(files[0], options, always=True)) for part, files in parts.items()}
    if picture_column(first["train"], Path(first["train"].path).parent) is not None:
        fail("large.pictures", path=place)
    words = _named(target, list(first["train"].columns))
    labelled, more = without_answers(first, words)
    files = LargeFiles({part: parts[part] for part in labelled}, options)
    source = large_source(files, tuple(words), (*told, *more))

    def build(options: Options) -> Dataset:
        refuse_not_large(options, place)
        chosen, named, rest = chosen_columns(source, target, options)
        kinds = [column.kind for column in source.kept.facts.columns.values()]
        if rest.task == "auto" and kinds == ["text", "text"]:
            fail("large.two-texts", path=place)
        assert isinstance(chosen, LargeSource)
        return large_dataset(name, chosen, named, rest, origin=Origin(str(place)))

    return ReadSource(build, partial(raw_rows, source, target))


def refuse_not_large(options: Options, place: Path) -> None:
    """UserError with all that a table whose rows are kept on the disk cannot be."""
    faults = Faults()
    for key, given in (("types", options.types), ("window", options.window)):
        if given:
            faults.add("large.setting", path=place, key=f"data.{key}")
    if options.task in ("tagging", "translation"):
        faults.add("large.setting", path=place, key=f'data.task = "{options.task}"')
    faults.raise_if_any()


def _named(target: Columns | None, known: list[str]) -> list[str]:
    words = () if target is None else split_names(target, known)
    return [found for word in words if (found := resolve_column(word, known)) is not None]


def files_builder(
    name: str, place: Path, files: Sequence[Path], target: Columns | None, options: FileOptions
) -> ReadSource:
    """What makes a data set of several files with the same columns: one table, its rows in the order of the names."""
    which = {"count": len(files), "first": files[0].name, "last": files[-1].name}
    told = Fault("tables.files" if len(files) > 1 else "tables.file-alone", {"path": place, **which})
    if is_large(files, options.stream):
        refuse_mixed_endings(files)
        return large_builder(name, place, {"train": files}, target, options, [told])
    source = source_of({"train": read_tables(files, options)}, target)
    return table_builder(name, replace(source, notes=(told, *source.notes)), target, Origin(str(place)))


def folder_of_tables(
    name: str, folder: Path, files: Sequence[Path], target: Columns | None, options: FileOptions
) -> ReadSource:
    """What makes a data set of a folder with train.csv, test.csv and perhaps validation.csv, or of the files of one
    table. A test part without the column to predict is none, which is told.
    """
    parts, beside = parts_in(files)
    if not parts:
        return files_builder(name, folder, files, target, options)
    left = Fault("tables.files-beside", {"path": folder, "names": listed(path.name for path in beside)})
    if is_large(list(parts.values()), options.stream):
        each = {part: [path] for part, path in parts.items()}
        return large_builder(name, folder, each, target, options, [left] if beside else [])
    sheets = {part: read_table(path, options) for part, path in parts.items()}
    labelled, told = without_answers(sheets, _named(target, list(sheets["train"].columns)))
    told += [left] if beside else []
    source = source_of(labelled, target)
    return table_builder(name, replace(source, notes=(*told, *source.notes)), target, Origin(str(folder)))
