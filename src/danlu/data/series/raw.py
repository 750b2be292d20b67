"""The windows of a time series as they were read: what a user would give to have them answered."""

import numpy

from danlu.data.dataset import RawSamples
from danlu.data.series.encoder import WindowEncoder
from danlu.data.table.raw import cells_of
from danlu.data.table.source import TableSource


def raw_windows(source: TableSource, ends: list[int], encoder: WindowEncoder) -> RawSamples:
    """The windows whose last rows in the source have the numbers `ends`: each as a dict of the columns that `encoder`
    takes, with the values behind it.
    """
    windows = encoder.layout.windows(source.table, source.at, source.place)
    number = {int(row): place for place, row in enumerate(windows.rows[:, -1].tolist())}
    chosen = [number[end] for end in ends]
    names = dict.fromkeys(column.name for column in encoder.columns)
    names |= dict.fromkeys(name for name in (encoder.group, encoder.time and encoder.time.name) if name is not None)
    rows = windows.rows[chosen]
    fitted = {column.name: column for column in encoder.columns}
    cells = {name: cells_of(source, name, rows.reshape(-1), fitted.get(name)) for name in names}
    samples = [
        {name: column[first : first + encoder.window] for name, column in cells.items()}
        for first in range(0, rows.size, encoder.window)
    ]
    column = source.table[encoder.target]
    behind = (column.values + float(column.offset))[windows.behind[chosen]]
    return RawSamples("series", samples, behind.tolist() if encoder.horizon > 1 else numpy.ravel(behind).tolist())
