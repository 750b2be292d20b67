"""A table with a target column into a data set."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.naming import listed
from danlu.data.dataset import Origin, checksum
from danlu.data.divide import divide, keys_of
from danlu.data.label_sets import LabelSets, unmet
from danlu.data.memory import MemoryDataset
from danlu.data.options import NUMBERS, Options, refuse_unfit
from danlu.data.parts import PARTS
from danlu.data.portions import Portion, gather, shared_rows
from danlu.data.sample_weights import checked_weights, of_training
from danlu.data.split import Rows
from danlu.data.table.columns import MOST_LISTED, Column, Sheet, Table
from danlu.data.table.dated import dated_rows
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fit import fit_encoder, is_identifier
from danlu.data.table.frames import join_sheets
from danlu.data.table.infer import interpret
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns, read_columns, resolve_column, split_names, target_names
from danlu.data.targets import Labels, Quantities, standardise_target


@dataclass(frozen=True)
class KnownTable:
    """What a reader of the catalogue's tables gives: the table, and the column to predict."""

    table: Table
    target: str
    notes: tuple[Fault, ...] = ()
    lines: "numpy.ndarray[Any, Any] | None" = None


def source_of(sheets: Mapping[str, Sheet], target: Columns | None) -> TableSource:
    """The table in one sheet, or in one for each part: their text is read as what all of them together show."""
    sheet = next(iter(sheets.values())) if len(sheets) == 1 else join_sheets(list(sheets.values()))
    if not sheet.columns or not len(sheet):
        fail("data.no-rows", path=sheet.path)
    words = () if target is None else split_names(target, list(sheet.columns))
    keep = tuple(name for word in words if (name := resolve_column(word, list(sheet.columns))) is not None)
    parts = {part: len(one) for part, one in sheets.items()}
    table = interpret(sheet, keep if sheet.typed else ())
    return TableSource(table, sheet.path, sheet.notes, sheet.lines, parts, sheet)


def table_dataset(
    name: str, source: TableSource, target: Columns | None, options: Options, *, origin: Origin | None = None
) -> MemoryDataset:
    """A data set of the rows of `source`, its features encoded by the training part's statistics.

    The task is told from the target: text, booleans, and whole numbers with at most 20 different values (and at most
    one for every five rows, or two) are classes; all other numbers are quantities. Several columns that are each on or
    off are labels, and so are the parts of cells such as "a;b". `options.task` overrides.
    """
    refuse_unfit(options, name, NUMBERS)
    table = source.table
    names, said = target_names(table, target, source.place)
    others = {*names, *source.no_features}
    features = {name: column for name, column in table.items() if name not in others}
    refuse_infinite(features, source)
    y, meaning, told = read_columns(names, options.task, source)
    labels = y if isinstance(meaning, Labels) else None
    options, named = named_keys(options, list(table))
    weights = None
    if options.weight is not None:
        if options.weight in names if isinstance(options.weight, str) else False:
            fail("data.weight-is-target", column=options.weight)
        weights, left_out = column_weights(options.weight, table, len(y))
        told = (*told, *left_out)
        for note in left_out:
            features.pop(note.values["column"], None)
    rows = rows_of(source, options, labels, len(y))
    if isinstance(options.group, str) and features.pop(options.group, None):
        told = (*told, Fault("data.group-left-out", {"column": options.group}))
    standardise = options.standardise is not False
    told = (*told, *dated_rows(features, source, options, meaning, names))
    encoder, decided = fit_encoder(features, rows["train"].numpy(), standardise, source.place, labels is not None)
    x = encoder.encode_table(features)
    refuse_too_large(x, encoder, source)
    portions = {part: Portion(x, y, rows[part]) for part in rows}
    x, y, sizes = gather(portions)
    order = torch.cat([rows[part] for part in PARTS])
    shared = shared_rows(portions, _as_found(features, source.left_out, decided)[order], y, source.lines)
    columns = {other: checksum_of(values) for other, values in table.items()}
    content = (int(standardise), *checksum(order, y), *(columns[other] for other in features))
    if standardise and isinstance(meaning, Quantities):
        y, meaning = standardise_target(y, sizes["train"], meaning.names)
    elif isinstance(meaning, LabelSets):
        told = (*told, *unmet(y, meaning, sizes["train"]))
    return MemoryDataset(
        name=name,
        sample_shape=tuple(x.shape[1:]),
        sizes=sizes,
        target=meaning,
        encoder=encoder,
        notes=(*source.notes, *said, *named, *told, *decided, *shared),
        origin=origin or Origin(),
        x=x,
        y=y,
        content=content,
        numbers=order,
        lines=None if source.lines is None else torch.from_numpy(source.lines)[order],
        columns=columns,
        sample_weights=None if weights is None else of_training(weights, rows["train"], str(options.weight)),
    )


def column_weights(given: Any, table: Table, count: int) -> tuple[Tensor, tuple[Fault, ...]]:
    """How much each row counts: a column, which is no feature then, or numbers beside the table."""
    if not isinstance(given, str):
        return checked_weights(given, count, "weights"), ()
    if given not in table:
        fail("data.no-weight-column", column=given, columns=listed(table, MOST_LISTED), hint=nearest(given, table))
    column = table[given]
    if column.kind in ("text", "other"):
        cell = next((one for one in column.values.tolist() if one is not None), "")
        fail("data.weight-no-numbers", place=given, found=f'"{cell}"')
    return checked_weights(column.values, count, given), (Fault("data.weight-left-out", {"column": given}),)


def rows_of(source: TableSource, options: Options, labels: Tensor | None, count: int) -> Rows:
    """The rows of each part: those that came as parts of their own stay as they are."""
    counts = [source.parts.get(part, 0) for part in PARTS] if len(source.parts) > 1 else [count, 0, 0]
    train, validation, test = torch.arange(count).split(counts)
    if len(validation) and options.fold is None and not options.refit:
        pool = train
    else:
        pool, validation = torch.cat([train, validation]), validation[:0]
    keys = keys_of(options, len(pool), None if labels is None else labels[pool], PoolColumns(source.table, pool))
    shares = options if not len(validation) else replace(options, validation=0.0)
    divided = divide(len(pool), shares, keys, test=0.0 if len(test) else options.test)
    parted = {part: pool[rows] for part, rows in divided.items()}
    if len(validation):
        parted["validation"] = validation
    return {**parted, "test": test} if len(test) else parted


class PoolColumns(Mapping[str, Any]):
    """The values of a table's columns in some of its rows, taken when they are asked for."""

    def __init__(self, table: Table, rows: Tensor) -> None:
        self._table, self._rows = table, rows

    def __getitem__(self, name: str) -> Any:
        return self._table[name].values[self._rows.numpy()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def checksum_of(column: Column) -> int:
    """A checksum of all cells of a column."""
    if column.kind in ("text", "other"):
        return zlib.crc32("\0".join(map(str, column.values.tolist())).encode())
    return checksum(torch.from_numpy(column.values.astype(numpy.float64)))[0] + column.offset


def _as_found(features: Table, left_out: Table, decided: tuple[Fault, ...]) -> Tensor:
    """Every column as numbers, also those too varied to learn from, or left out by the user: rows that differ in one of
    these are two rows. Only what numbers the rows does not count.
    """
    numbering = {note.values["column"] for note in decided if note.id == "data.dropped-identifier"}
    numbering |= {name for name, one in left_out.items() if one.kind == "integer" and is_identifier(name, one)}
    columns = [
        numpy.unique(column.values.astype(str), return_inverse=True)[1] if column.kind == "text" else column.values
        for name, column in {**left_out, **features}.items()
        if name not in numbering and column.kind != "other"
    ]
    return torch.from_numpy(numpy.stack(columns, axis=1).astype(numpy.float64))


def named_keys(options: Options, names: list[str]) -> tuple[Options, tuple[Fault, ...]]:
    """The options with columns given by number called by name."""
    notes: list[Fault] = []
    for key in ("group", "time", "weight"):
        given = getattr(options, key)
        name = resolve_column(given, names) if isinstance(given, str) else None
        if name is not None and name != given:
            notes.append(Fault("data.column-by-number", {"key": f"data.{key}", "number": given, "column": name}))
            options = replace(options, **{key: name})
    return options, tuple(notes)


def refuse_infinite(features: Table, source: TableSource) -> None:
    """UserError with all columns that hold infinite numbers."""
    faults = Faults()
    for name, column in features.items():
        if column.values.dtype != object and numpy.isinf(column.values).any():
            wrong = numpy.isinf(column.values)
            told = {"count": int(wrong.sum()), "at": source.at(int(wrong.argmax()))}
            faults.add("data.infinite", place=source.place, column=name, **told)
    faults.raise_if_any()


def refuse_too_large(x: Tensor, encoder: TableEncoder, source: TableSource) -> None:
    """UserError with all numbers that float32 cannot hold, or whose spread float64 cannot."""
    faults = Faults()
    wrong = ~torch.isfinite(x)
    for place in wrong.any(0).nonzero().flatten().tolist():
        rows = wrong[:, place]
        told = {"count": int(rows.sum()), "at": source.at(int(rows.int().argmax()))}
        faults.add("data.too-large", place=source.place, column=encoder.features[place], **told)
    faults.raise_if_any()
