"""Rows of a time series as windows to be answered: each forecast stands behind the last row of its window."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import UserError
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import read_table
from danlu.data.series.encoder import WindowEncoder
from danlu.data.series.windows import Windows
from danlu.data.table.columns import Sheet, Table
from danlu.data.table.frames import table_of
from danlu.data.table.infer import cells_as_numbers
from danlu.data.table.to_predict import Columns
from danlu.data.targets import Quantities
from danlu.ship.answer_table import notes_of
from danlu.ship.portions import in_file
from danlu.ship.rows import Rows


def series_file(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """All windows of the table in a file, which is read whole: a window may begin anywhere."""
    sheet = read_table(path, options)
    try:
        yield series_rows(sheet, fitted)
    except UserError as error:
        raise UserError(*in_file(sheet.path, error.faults)) from None


def series_rows(sheet: Sheet, fitted: Preprocessing) -> Rows:
    """All windows of a table with the values behind them as far as it has them; `beside` tells the series of each, and
    the time of its last row.
    """
    encoder = fitted.encoder
    assert isinstance(encoder, WindowEncoder)
    table = table_of(sheet)
    windows = encoder.layout.windows(table, sheet.place, sheet.path)
    encoded, last = encoder.encoded(table, windows), windows.rows[:, -1]
    places = (last + 1 if sheet.lines is None else sheet.lines[last]).tolist()
    targets, notes = _targets(table, windows, encoder, fitted), notes_of(encoder.unseen(table, windows))
    remarks, beside = (*sheet.notes, *fitted.remarks(sheet)), encoder.layout.beside(windows)
    return Rows(sheet.path, [str(place) for place in places], encoded, targets, notes, remarks, beside)


def _targets(table: Table, windows: Windows, encoder: WindowEncoder, fitted: Preprocessing) -> Tensor:
    """What came behind each window, as the net is trained on it: float64 [N, horizon], NaN where that is not known."""
    assert isinstance(fitted.target, Quantities)
    column = table[encoder.target]
    numbers: Any = column.values + float(column.offset) if column.values.dtype != object else None
    if numbers is None:
        read, offset, _ = cells_as_numbers(column.values.tolist(), "number", encoder.own.spelling)
        numbers = read + offset
    found = numpy.where(windows.behind < 0, numpy.nan, numbers[windows.behind])
    return torch.from_numpy((found - numpy.array(fitted.target.mean)) / numpy.array(fitted.target.scale))
