"""Numbers of a table that lie far outside the training part's, told in one sentence; without torch."""

from collections.abc import Sequence

import numpy

from danlu.base.errors import Fault, Faults
from danlu.data.far_outside import Ranges, remarks
from danlu.data.table.columns import Table
from danlu.data.table.fitted import FittedColumn, NumberColumn, fitting


def table_remarks(columns: Sequence[FittedColumn], table: Table) -> tuple[Fault, ...]:
    """What is to be told of rows whose numbers lie far outside the training part's.

    >>> from danlu.data.table.columns import Column
    >>> size = NumberColumn("size", "number", 2.0, 2.0, 1.0, flag=False, low=1.0, high=3.0)
    >>> [fault.id for fault in table_remarks([size], {"size": Column("number", numpy.array([2.0, 900.0]))})]
    ['data.far-outside']
    """
    known = [column for column in columns if isinstance(column, NumberColumn) and column.high is not None]
    known = [column for column in known if column.name in table]
    if not known:
        return ()
    given = [fitting(column, table[column.name], Faults()) for column in known]
    values = [one.values + float(one.offset - column.offset) for one, column in zip(given, known, strict=True)]
    low, high = (tuple(float(getattr(column, end)) for column in known) for end in ("low", "high"))
    ranges = Ranges(low, high, (), (), False, 0.0, 0.0)
    return remarks(numpy.stack(values, axis=1), ranges, tuple(column.name for column in known))
