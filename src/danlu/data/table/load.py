"""A table with a target column into a data set."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.data.dataset import Origin, checksum
from danlu.data.divide import divide, keys_of
from danlu.data.memory import MemoryDataset
from danlu.data.options import NUMBERS, Options, refuse_unfit
from danlu.data.portions import Portion, gather, shared_rows
from danlu.data.table.columns import Column, Table
from danlu.data.table.fit import fit_encoder
from danlu.data.targets import Labels, Quantities, read_target, refuse_missing, standardise_target

MOST_CLASSES = 20


@dataclass(frozen=True)
class KnownTable:
    """What a reader of the catalogue's tables gives: the table, and the column to predict."""

    table: Table
    target: str
    notes: tuple[Fault, ...] = ()


def table_dataset(
    name: str,
    table: Table,
    target: str | None,
    options: Options,
    *,
    place: str,
    origin: Origin | None = None,
    notes: tuple[Fault, ...] = (),
) -> MemoryDataset:
    """A data set of the rows of `table`, its features encoded by the training part's statistics.

    The task is told from the target: text, booleans, and whole numbers with at most 20 different values (and at most
    one for every five rows, or two) are classes; all other numbers are quantities. `options.task` overrides.
    """
    refuse_unfit(options, name, NUMBERS)
    column = _target_column(table, target, place)
    features = {other: values for other, values in table.items() if other != target}
    _refuse_infinite(features, place)
    y, meaning, told = _read(column, str(target), options.task, place)
    labels = y if isinstance(meaning, Labels) else None
    keys = keys_of(options, len(y), labels, {other: column.values for other, column in table.items()})
    rows = divide(len(y), options, keys, test=options.test)
    if isinstance(options.group, str) and features.pop(options.group, None):
        told = (*told, Fault("data.group-left-out", {"column": options.group}))
    standardise = options.standardise is not False
    encoder, decided = fit_encoder(features, rows["train"].numpy(), standardise, place)
    x = encoder.encode_table(features)
    portions = {part: Portion(x, y, rows[part]) for part in rows}
    x, y, sizes = gather(portions)
    order = torch.cat([rows[part] for part in rows])
    shared = shared_rows(portions, _as_found(features, decided)[order], y)
    content = (int(standardise), *checksum(order, y), *(_checksum_of(column) for column in features.values()))
    if standardise and isinstance(meaning, Quantities):
        y, meaning = standardise_target(y, sizes["train"])
    return MemoryDataset(
        name=name,
        sample_shape=tuple(x.shape[1:]),
        sizes=sizes,
        target=meaning,
        encoder=encoder,
        notes=(*notes, *told, *decided, *shared),
        origin=origin or Origin(),
        x=x,
        y=y,
        content=content,
    )


def _checksum_of(column: Column) -> int:
    if column.kind in ("text", "other"):
        return zlib.crc32("\0".join(map(str, column.values.tolist())).encode())
    return checksum(torch.from_numpy(column.values.astype(numpy.float64)))[0]


def _as_found(features: Table, decided: tuple[Fault, ...]) -> Tensor:
    """Every column as numbers, also those too varied to learn from: rows that differ in one of these are two rows. Only
    what numbers the rows does not count.
    """
    numbering = {note.values["column"] for note in decided if note.id == "data.dropped-identifier"}
    columns = [
        numpy.unique(column.values.astype(str), return_inverse=True)[1] if column.kind == "text" else column.values
        for name, column in features.items()
        if name not in numbering and column.kind != "other"
    ]
    return torch.from_numpy(numpy.stack(columns, axis=1).astype(numpy.float64))


_TARGET_NAMES = ("target", "label", "labels", "class", "y", "outcome", "survived", "species", "price", "diagnosis")


def _target_column(table: Table, target: str | None, place: str) -> Column:
    columns = ", ".join(table)
    if target is None:
        fail("data.target-needed", place=place, columns=columns, likely=_likely_target(table))
    if target not in table:
        fail("data.target-unknown", place=place, target=target, columns=columns, hint=nearest(target, table))
    return table[target]


def _likely_target(table: Table) -> str:
    """The column that is most likely to be predicted: by its name, else the last, where most people put it."""
    return next((column for column in table if column.strip().lower() in _TARGET_NAMES), [*table][-1])


def _read(column: Column, target: str, task: str, place: str) -> tuple[Tensor, Labels | Quantities, tuple[Fault, ...]]:
    where = Fault("data.place-column", {"path": place, "column": target})
    refuse_missing(column.values, where)
    values = _as_typed(column)
    distinct = len(set(values.tolist()))
    if distinct < 2:
        fail("data.target-constant", place=where, value=values[0])
    told: tuple[Fault, ...] = ()
    if task == "auto":
        few = distinct <= MOST_CLASSES and distinct <= max(2, len(values) // 5)
        classes = column.kind in ("text", "boolean") or (column.kind == "integer" and few)
        task = "classification" if classes else "regression"
        if column.kind == "integer":
            phrase = "data.told-classification" if few else "data.told-regression"
            told = (Fault(phrase, {"column": target, "count": distinct}),)
    y, meaning = read_target(values, task, where)
    return y, meaning, told


def _as_typed(column: Column) -> "numpy.ndarray[Any, Any]":
    """A column without gaps in the type it was read from, so that labels come back as they were spelled."""
    if column.kind == "integer":
        return column.values.astype(numpy.int64)
    if column.kind == "boolean":
        return column.values.astype(numpy.bool_)
    return numpy.array(column.values.tolist())


def _refuse_infinite(features: Table, place: str) -> None:
    faults = Faults()
    for name, column in features.items():
        if column.values.dtype != object and numpy.isinf(column.values).any():
            wrong = numpy.isinf(column.values)
            faults.add("data.infinite", place=place, column=name, count=int(wrong.sum()), row=int(wrong.argmax()) + 1)
    faults.raise_if_any()
