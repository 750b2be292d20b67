"""Which columns of a table are to be predicted, and what their cells are: classes, quantities, or labels."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, UserError, fail, nearest
from danlu.base.naming import listed
from danlu.data.label_cells import separator_of, switched
from danlu.data.label_sets import LabelSets, flags_of_cells
from danlu.data.place_labels import PixelLabels
from danlu.data.table.columns import MOST_LISTED, Column, Table
from danlu.data.table.source import TableSource
from danlu.data.targets import Labels, Quantities, read_target, refuse_missing, text_classes

MOST_CLASSES = 20
# A column by its number, from the end below 0.
NUMBER = re.compile(r"-?\d{1,9}")

Columns = str | tuple[str, ...]
"""One column, by name or number, or several; also several in one word, with commas between."""
Meaning = Labels | LabelSets | Quantities

_TARGET_NAMES = (
    "target", "label", "labels", "class", "y", "outcome", "survived", "species", "price", "diagnosis", "目标", "标签",
    "类别", "结果", "品种",
)  # fmt: skip


def columns_of(given: str | int | Sequence[str | int] | None) -> Columns | None:
    """The columns that a caller names, numbers among them as text.

    >>> columns_of(-1), columns_of(["a", 2]), columns_of(["a"]), columns_of(1.5)
    ('-1', ('a', '2'), 'a', '1.5')
    """
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):  # whatever else it is names no column, and is told so
        return str(given)
    several = tuple(str(one) for one in given)
    return several[0] if len(several) == 1 else several or None


def target_names(table: Table, target: Columns | None, place: str) -> tuple[tuple[str, ...], tuple[Fault, ...]]:
    """The columns to predict, and what is to be told of how they were found. UserError where there are none such."""
    columns = listed(table, MOST_LISTED)
    if target is None:
        fail("data.target-needed", place=place, columns=columns, likely=_likely_target(table))
    words = split_names(target, list(table))
    found = [(word, resolve_column(word, list(table))) for word in words]
    faults = [
        Fault("data.target-unknown", {"place": place, "target": word, "columns": columns, "hint": nearest(word, table)})
        for word, name in found
        if name is None
    ]
    names = tuple(name for _, name in found if name is not None)
    if not faults and len(set(names)) < len(names):
        faults = [Fault("data.target-twice", {"place": place, "columns": ", ".join(names)})]
    if not faults and len(names) > 1 and len(names) == len(table):
        faults = [Fault("data.target-all", {"place": place})]
    if faults:
        raise UserError(*faults)
    told = [
        Fault("data.column-by-number", {"key": "data.target", "number": word, "column": name})
        for word, name in found
        if word != name
    ]
    return names, tuple(told)


def split_names(target: Columns, names: Sequence[str]) -> tuple[str, ...]:
    """The words for columns in `target`: a word with commas in it that is no column is several.

    >>> split_names("a,b", ["a", "b"]), split_names("a,b", ["a,b", "c"]), split_names(("a", "b"), [])
    (('a', 'b'), ('a,b',), ('a', 'b'))
    """
    return tuple(names_in(target, names)) if isinstance(target, str) else target


def names_in(word: str, names: Collection[str]) -> list[str]:
    """The words for columns that one word is: a comma, as either language writes it, parts them unless a column has it.

    >>> names_in("a, b", ["a", "b"]), names_in("甲，乙", ["甲", "乙"]), names_in("a,b", ["a,b"])
    (['a', 'b'], ['甲', '乙'], ['a,b'])
    """
    parts = [word] if word in names else re.split("[,，]", word)
    return [part if part in names else part.strip() for part in parts]


def _likely_target(table: Table) -> str:
    """The column that is most likely to be predicted: by its name, else the last, where most people put it."""
    return next((column for column in table if column.strip().lower() in _TARGET_NAMES), [*table][-1])


def resolve_column(word: str, names: Sequence[str]) -> str | None:
    """The column that `word` names, or numbers: from 0 on, or from the end below 0; None where there is none.

    >>> resolve_column("-1", ["a", "b"]), resolve_column("b", ["a", "b"]), resolve_column("0", ["1", "0"])
    ('b', 'b', '0')
    """
    if word in names:
        return word
    if not NUMBER.fullmatch(word) or not -len(names) <= int(word) < len(names):
        return None
    return names[int(word)]


def read_columns(names: Sequence[str], task: str, source: TableSource) -> tuple[Tensor, Meaning, tuple[Fault, ...]]:
    """The targets in some columns as a tensor, what they mean, and what is to be told of them."""
    if len(names) == 1:
        return _one(source.table[names[0]], names[0], task, source)
    for name in names:
        refuse_missing(source.table[name].values, source.column(name), source.at)
    if task == "classification":
        fail("data.task-unfit", name=source.place, found=task, wanted="regression, multi-label")
    switches = None if task == "regression" else _switches(names, source, needed=task == "multi-label")
    if switches is None:
        return _quantities(names, source)
    listed = ", ".join(names)
    if not bool((switches != switches[:1]).any()):
        fail("data.target-constant", place=source.column(listed), value=switches[0, 0])
    return switches, LabelSets(tuple(names), in_columns=True), (Fault("data.told-labels", {"columns": listed}),)


def _switches(names: Sequence[str], source: TableSource, *, needed: bool) -> Tensor | None:
    """Columns that are each on or off as float64 [N, columns]; None where one is not. UserError where they must be."""
    found: list[Any] = []
    for name in names:
        column = source.table[name]
        values = as_typed(column)
        measured = values.dtype.kind in "if" and len(numpy.unique(values)) > 2
        flags = None if measured else switched(values.tolist())
        if flags is None and needed:
            fail("data.switch-wanted", place=source.column(name))
        if flags is None:
            return None
        found.append(flags)
    return torch.from_numpy(numpy.stack(found, axis=1))


def _quantities(names: Sequence[str], source: TableSource) -> tuple[Tensor, Quantities, tuple[Fault, ...]]:
    faults, told = list[Fault](), list[Fault]()
    pieces: list[Tensor] = []
    for name in names:
        column = source.table[name]
        refuse_odd(column, name, source)
        told += column.remarks
        if column.kind in ("text", "other"):
            faults.append(Fault("data.targets-not-numbers", {"place": source.column(name)}))
            continue
        values = as_typed(column)
        if _distinct(values) < 2:
            faults.append(Fault("data.target-constant", {"place": source.column(name), "value": values[0]}))
            continue
        if column.offset:
            told.append(Fault("data.large-targets", {"column": name}))
        pieces.append(read_target(values, "regression", source.column(name))[0])
    if faults:
        raise UserError(*faults)
    told.append(Fault("data.told-quantities", {"columns": ", ".join(names)}))
    ones = (1.0,) * len(names)
    return torch.cat(pieces, 1), Quantities((0.0,) * len(names), ones, names=tuple(names)), tuple(told)


def refuse_odd(column: Column, name: str, source: TableSource) -> None:
    """UserError where some cells of a target are no numbers."""
    odd = [remark for remark in column.remarks if remark.id == "data.odd-cells"]
    if odd:
        raise UserError(Fault("data.target-odd", {"place": source.column(name), **odd[0].values}))


def _one(column: Column, target: str, task: str, source: TableSource) -> tuple[Tensor, Meaning, tuple[Fault, ...]]:
    where = source.column(target)
    if task != "classification":
        refuse_odd(column, target, source)
    separator = _separator(column, task)
    if separator is not None:
        return _labels(column, target, separator, source)
    refuse_missing(column.values, where, source.at)
    values = column.values if column.kind == "text" else as_typed(column)
    distinct = _distinct(values)
    if distinct < 2:
        fail("data.target-constant", place=where, value=values[0])
    told = column.remarks
    if task == "auto":
        few = distinct <= MOST_CLASSES and distinct <= max(2, len(values) // 5)
        classes = column.kind in ("text", "boolean") or (column.kind == "integer" and few)
        task = "classification" if classes else "regression"
        if column.kind == "integer":
            phrase = "data.told-classification" if few else "data.told-regression"
            told = (*told, Fault(phrase, {"column": target, "count": distinct}))
    if column.offset and task == "regression":
        told = (*told, Fault("data.large-targets", {"column": target}))
    if column.kind == "text" and task == "classification":
        y, meaning = text_classes(values.tolist(), where)
    else:
        y, meaning = read_target(values, task, where)
    assert not isinstance(meaning, PixelLabels)  # the cells of a column are no masks
    return y, meaning, told


def _distinct(values: "numpy.ndarray[Any, Any]") -> int:
    return len(set(values.tolist())) if values.dtype == object else len(numpy.unique(values))


def _separator(column: Column, task: str) -> str | None:
    if task not in ("auto", "multi-label"):
        return None
    cells = [cell for cell in column.values.tolist() if cell is not None] if column.kind == "text" else []
    found = separator_of(cells)
    if found is None and task == "multi-label":
        fail("data.cells-not-labels")
    return found


def _labels(
    column: Column, target: str, separator: str, source: TableSource
) -> tuple[Tensor, LabelSets, tuple[Fault, ...]]:
    cells = column.values.tolist()
    empty = [row for row, cell in enumerate(cells) if cell is None]
    where = source.column(target)
    if empty:
        told = {"count": len(empty), "at": source.at(empty[0]), "separator": separator}
        fail("data.label-cells-empty", place=where, **told)
    y, meaning = flags_of_cells(cells, separator, where)
    told = {"column": target, "count": meaning.outputs, "separator": separator}
    return y, meaning, (*column.remarks, Fault("data.told-label-cells", told))


def as_typed(column: Column) -> "numpy.ndarray[Any, Any]":
    """A column without gaps in the type it was read from, so that labels come back as they were spelled."""
    if column.kind == "integer" and column.offset:
        return numpy.array([int(value) + column.offset for value in column.values.tolist()])
    if column.kind == "integer":
        return column.values.astype(numpy.int64)
    if column.kind == "boolean":
        return column.values.astype(numpy.bool_)
    return column.values if column.kind in ("number", "date") else numpy.array(column.values.tolist())
