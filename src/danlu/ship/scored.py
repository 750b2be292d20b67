"""Samples with their right answers, in whatever form they come: files, tables, (x, y), data sets."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.base.seeds import choose_device
from danlu.data import Dataset
from danlu.data.arrays import array_target
from danlu.data.label_sets import LabelSets
from danlu.data.place_labels import TokenLabels
from danlu.data.plain import to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.raw import raw_samples
from danlu.data.readers.csv_text import FileOptions
from danlu.data.series.encoder import WindowEncoder
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.frames import is_tabular, sheet_of
from danlu.data.table.to_predict import Columns
from danlu.data.text.encoders import SourceEncoder
from danlu.data.written_text import WrittenText
from danlu.ship.column_rows import column_rows
from danlu.ship.given import gathered, read_given
from danlu.ship.inputs import read_rows, table_rows
from danlu.ship.pair_rows import pair_rows, with_texts
from danlu.ship.portions import table_portions
from danlu.ship.right_answers import targets_of
from danlu.ship.rows import Rows
from danlu.ship.series_rows import series_rows

_AT_ONCE = 1024


def read_scored(
    given: Any, fitted: Preprocessing, target: Columns | None, options: FileOptions, part: str
) -> Iterator[Rows]:
    """Encoded samples with their targets: of a path; a frame, its rows, a dict of columns or a list of dicts with the
    column to predict; a pair (x, y); or `part` of a Dataset. UserError for anything else.
    """
    given = gathered(given, fitted)
    if isinstance(given, Dataset):
        yield from _of_dataset(given, fitted, part)
    elif isinstance(given, str | Path):
        yield from read_rows(Path(given).expanduser(), fitted, target, options)
    elif isinstance(given, tuple) and len(cast(tuple[Any, ...], given)) == 2:
        x, y = cast(tuple[Any, Any], given)
        yield from _paired(x, y, fitted, target, options)
    elif isinstance(fitted.encoder, TableEncoder) and is_tabular(given):
        yield from (table_rows(portion, fitted, target) for portion in table_portions(sheet_of(given)))
    elif isinstance(fitted.encoder, SourceEncoder) and is_tabular(given):
        yield from (pair_rows(portion, fitted) for portion in table_portions(sheet_of(given)))
    elif isinstance(fitted.encoder, ColumnTexts) and is_tabular(given):
        yield from (column_rows(portion, fitted, target) for portion in table_portions(sheet_of(given)))
    elif isinstance(fitted.encoder, WindowEncoder) and is_tabular(given):
        yield series_rows(sheet_of(given), fitted)
    else:
        fail("ship.not-scored", found=type(given).__name__)


def _paired(x: Any, y: Any, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    found = list(read_given(x, fitted, target, options))
    if isinstance(fitted.target, WrittenText):
        yield from _translated(found, [y] if isinstance(y, str) else list(y), fitted)
        return
    right = _right(y, fitted)
    targets = targets_of(right, fitted)
    count = sum(len(rows.places) for rows in found)
    if count != len(targets):
        fail("data.lengths-differ", x=count, y=len(targets))
    if isinstance(fitted.target, TokenLabels):
        _refuse_unmatched(torch.cat([rows.encoded for rows in found]), right)
    pieces: tuple[Tensor, ...] = targets.split([len(rows.places) for rows in found])
    for rows, piece in zip(found, pieces, strict=True):
        yield Rows(rows.file, rows.places, rows.encoded, piece, rows.notes, rows.remarks)


def _translated(found: list[Rows], texts: list[Any], fitted: Preprocessing) -> Iterator[Rows]:
    """Sources with the texts that they become."""
    count = sum(len(rows.places) for rows in found)
    if count != len(texts):
        fail("data.lengths-differ", x=count, y=len(texts))
    first = 0
    for rows in found:
        yield with_texts(rows, texts[first : first + len(rows.places)], fitted)
        first += len(rows.places)


def _right(y: Any, fitted: Preprocessing) -> Any:
    """Right answers as an array: lists of labels, and of tags, stay lists."""
    if isinstance(fitted.target, TokenLabels):
        return _tags(y)
    lists = isinstance(y, list | tuple) and any(isinstance(one, list | tuple) for one in cast(list[Any], y))
    if not isinstance(fitted.target, LabelSets) or not lists:
        return array_target(y)
    rows = [numpy.asarray(one) for one in cast(list[Any], y)]
    if all(one.dtype.kind in "biuf" and one.size == fitted.outputs and set(one.tolist()) <= {0, 1} for one in rows):
        return array_target(y)
    found = numpy.empty(len(rows), dtype=object)
    for row, one in enumerate(rows):
        found[row] = one.tolist()
    return found


def _tags(y: Any) -> Any:
    """Lists of tags, or texts with blanks between them, as an object array of lists."""
    given = list(y) if hasattr(y, "__iter__") and not isinstance(y, str) else [y]
    found = numpy.empty(len(given), dtype=object)
    for row, one in enumerate(given):
        found[row] = one.split() if isinstance(one, str) else list(one) if hasattr(one, "__iter__") else one
    return found


def _refuse_unmatched(encoded: Tensor, y: Any) -> None:
    """UserError where a text has not as many tags as tokens."""
    for row, (tokens, tags) in enumerate(zip((encoded != 0).sum(1).tolist(), y, strict=True), start=1):
        if tokens != len(tags):
            fail("ship.tags-unmatched", row=row, tokens=tokens, tags=len(tags))


def _of_dataset(data: Dataset, fitted: Preprocessing, part: str) -> Iterator[Rows]:
    """As they are where they were prepared in the very same way, else as the run's own preprocessing makes them."""
    if fitted.task in ("language", "reconstruction"):
        fail("ship.not-evaluated", task=Fault(f"base.task-{fitted.task}"))
    if data.task != fitted.task:
        fail("ship.other-task", found=Fault(f"base.task-{data.task}"), wanted=Fault(f"base.task-{fitted.task}"))
    if not data.sizes.get(part):
        fail("ship.no-such-part", name=data.name, part=part)
    if _same(data, fitted):
        number = 0
        for x, y in data.batches(part, _AT_ONCE, device=choose_device("cpu"), dtype=torch.float64):
            encoded = x if fitted.vocabulary is not None else x.to(torch.float32)
            yield Rows("", [str(number + row + 1) for row in range(len(x))], encoded, y)
            number += len(x)
        return
    raw = raw_samples(data, part)
    if isinstance(fitted.target, WrittenText):
        places = [str(row + 1) for row in range(len(raw))]
        yield with_texts(Rows("", places, fitted.encode(raw.samples)), raw.targets or [], fitted)
        return
    encoded, targets = fitted.encode(raw.samples), targets_of(_right(raw.targets, fitted), fitted)
    yield Rows("", [str(row + 1) for row in range(len(encoded))], encoded, targets)


def _same(data: Dataset, fitted: Preprocessing) -> bool:
    own = Preprocessing.of(data)
    if isinstance(own.target, LabelSets) and isinstance(fitted.target, LabelSets):
        # Thresholds are the run's, not the data's.
        own = replace(own, target=replace(own.target, thresholds=fitted.target.thresholds))
    return type(own.encoder) is type(fitted.encoder) and to_plain(own) == to_plain(fitted)
