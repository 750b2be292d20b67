"""Fits the encoder of a table to its training part, and tells what was left out and what was filled in."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy

from danlu.base.errors import Fault, UserError, fail
from danlu.data.table.columns import Column, Table
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import CategoryColumn, NumberColumn

# Text with more different values than this is no category: it names, counts or describes.
MOST_CATEGORIES = 50
MOST_ASKED = 1000  # of a column that is to be a category
IDENTIFIER = re.compile(r"(^|.*[_\s-])(id|uuid|guid|index)$|.*[a-z]I[Dd]$|^编号$|^序号$", re.IGNORECASE)


def fit_encoder(
    table: Table, train: "numpy.ndarray[Any, Any]", standardise: bool, place: str, classes: bool
) -> tuple[TableEncoder, tuple[Fault, ...]]:
    """The encoder for `table` (features only) by its rows `train`, and the notes: see `fit_columns`; where `classes`
    are predicted also of texts that these could be told from. UserError where nothing can be learnt from any column.
    """
    columns, notes = fit_columns(table, train, standardise)
    notes = tuple(_offering(note, table) for note in notes) if classes else notes
    if not columns:
        raise UserError(Fault("data.no-features", {"place": place}), *notes)
    return TableEncoder(columns), notes


def fit_columns(
    table: Table, train: "numpy.ndarray[Any, Any]", standardise: bool
) -> tuple[tuple[NumberColumn | CategoryColumn, ...], tuple[Fault, ...]]:
    """What the columns of `table` (features only) become by its rows `train`, and the notes.

    Left out: columns without a value or with one only, identifiers (whole numbers, all different, counting on from 0
    or 1 or named like one), and text with more than 50 different values or more than half of the rows different; the
    last two not where the user named the kind.
    """
    columns: list[NumberColumn | CategoryColumn] = []
    notes: list[Fault] = []
    for name, column in table.items():
        dropped = why_dropped(name, column, column.take(train))
        if dropped:
            notes.append(dropped)
            continue
        notes += column.remarks
        if column.kind == "text":
            columns.append(_category(name, column.take(train)))
        else:
            fitted, filled = fit_number(name, column, train, standardise)
            columns.append(fitted)
            notes += filled
    return tuple(columns), tuple(notes)


def _offering(note: Fault, table: Table) -> Fault:
    """The note for a column of texts that are long enough to be read says what would read them."""
    if note.id != "data.dropped-text":
        return note
    texts = [text for text in table[note.values["column"]].values.tolist() if text is not None]
    return Fault("data.dropped-prose", note.values) if reads_as_prose(texts) else note


def reads_as_prose(texts: Sequence[str]) -> bool:
    """Whether texts have three words or more on the average, or eight signs of a script without blanks.

    >>> reads_as_prose(["a good film", "no, not at all"]), reads_as_prose(["这部电影非常好看"]), reads_as_prose(["A/5"])
    (True, True, False)
    """
    words = sum(len(text.split()) for text in texts)
    signs = sum("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" for text in texts for sign in text)
    return words >= 3 * len(texts) or signs >= 8 * len(texts)


def why_dropped(name: str, column: Column, train: Column) -> Fault | None:
    """The note for a column that nothing can be learnt from, or None."""
    if column.kind == "other":
        return Fault("data.dropped-type", {"column": name})
    present = train.values[~train.missing]
    distinct = _distinct(present)
    if distinct == 0:
        return Fault("data.dropped-empty", {"column": name})
    if distinct == 1 and len(present) == len(train.values):
        return Fault("data.dropped-constant", {"column": name, "value": shown(column, present[0])})
    if column.asked:
        if column.kind == "text" and distinct > MOST_ASKED:
            fail("columns.too-many", column=name, count=distinct, limit=MOST_ASKED)
        return None
    if column.kind == "integer" and is_identifier(name, column):
        return Fault("data.dropped-identifier", {"column": name})
    if column.kind == "text" and (distinct > MOST_CATEGORIES or 2 * distinct > max(len(train.values), 4)):
        values = {"column": name, "count": distinct, "rows": len(train.values), "example": str(present[0])[:40]}
        return Fault("data.dropped-text", values)
    return None


def _distinct(present: "numpy.ndarray[Any, Any]") -> int:
    """How many different values there are; of numbers it is enough to know whether there is more than one."""
    if present.dtype == object:
        return len(set(present.tolist()))
    return min(len(present), 1 + int(present.min() != present.max())) if len(present) else 0


def shown(column: Column, value: Any) -> Any:
    """A value of the column as people read it."""
    if column.kind == "text":
        return value
    return str(round(value) + column.offset) if column.offset else f"{value:g}"


def is_identifier(name: str, column: Column) -> bool:
    """Looked at over all rows: the training part alone would have gaps in its numbers."""
    values = numpy.sort(column.values)
    if column.missing.any() or (numpy.diff(values) == 0).any():
        return False
    counts_on = values[0] + column.offset in (0, 1) and values[-1] - values[0] == len(values) - 1
    return bool(counts_on or IDENTIFIER.fullmatch(name))


def _category(name: str, train: Column) -> CategoryColumn:
    missing = train.missing
    counts = Counter(train.values[~missing].tolist())
    values = tuple(sorted(counts))
    return CategoryColumn(name, values, bool(missing.any()), usual=max(values, key=counts.__getitem__))


def fit_number(
    name: str, column: Column, train: "numpy.ndarray[Any, Any]", standardise: bool
) -> tuple[NumberColumn, list[Fault]]:
    """What a column of numbers becomes, and the notes."""
    values, missing = column.values[train], column.missing[train]
    median = float(numpy.median(values[~missing]))
    filled = numpy.where(missing, median, values)
    mean, scale = (float(filled.mean()), float(filled.std())) if standardise else (0.0, 1.0)
    notes: list[Fault] = []
    if column.offset:
        notes.append(Fault("data.offset", {"column": name, "offset": column.offset}))
    gaps = int(column.missing.sum())
    if gaps:
        notes.append(Fault("data.imputed", {"column": name, "count": gaps, "median": shown(column, median)}))
    with numpy.errstate(over="ignore"):  # what is beyond float32 is refused once it is encoded
        vanished = (filled != 0) & (filled.astype(numpy.float32) == 0)
    if not standardise and vanished.any():
        notes.append(Fault("data.vanished", {"column": name, "count": int(vanished.sum())}))
    low, high = float(filled.min()), float(filled.max())
    flag, read = bool(missing.any()), (column.spelling, column.offset)
    return NumberColumn(name, column.kind, median, mean, scale or 1.0, flag, *read, low, high), notes
