"""Rows that were measured one after the other: a split by time, and a forecast, are offered."""

import numpy

from danlu.base.errors import Fault
from danlu.base.printable import typed
from danlu.data.options import Options
from danlu.data.table.columns import Table
from danlu.data.table.source import TableSource
from danlu.data.targets import Quantities, Target

_FEWEST = 10  # different dates
_MOST_BACK = 0.05  # of the rows that are older than the row before: where the next of several series begins


def dated_rows(
    features: Table, source: TableSource, options: Options, target: Target, names: tuple[str, ...]
) -> tuple[Fault, ...]:
    """A note where the only column of dates orders the rows, and the parts are drawn without regard to that."""
    if options.time is not None or options.fold is not None or len(source.parts) > 1:
        return ()
    dates = [name for name, column in features.items() if column.kind == "date"]
    if len(dates) != 1:
        return ()
    column = features[dates[0]]
    moments = column.values[~column.missing]
    steps = numpy.diff(moments)
    back = min((steps < 0).sum(), (steps > 0).sum())
    if len(numpy.unique(moments)) < _FEWEST or back > _MOST_BACK * len(steps):
        return ()
    told = {"column": dates[0], "setting": typed(f"data.time={dates[0]}")}
    if isinstance(target, Quantities) and len(names) == 1:
        return (Fault("data.dated-numbers", told | {"target": names[0]}),)
    return (Fault("data.dated-rows", told),)
