"""The fitted encoder of a time series: rows of a table, in any order, as windows of encoded rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import Fault
from danlu.data.series.clock import Clock
from danlu.data.series.windows import WindowLayout, Windows, tables_of
from danlu.data.table.columns import Table
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import CategoryColumn, NumberColumn
from danlu.data.table.outlying import table_remarks


@dataclass(frozen=True)
class WindowEncoder:
    """Windows of `window` rows of one series, each as the `encoder` makes it, the column `target` first. `time` says
    how the column of that name is read, None: rows stand in their order. `group` is the column that names the series.
    """

    encoder: TableEncoder
    window: int
    horizon: int
    target: str
    time: NumberColumn | None
    group: str | None
    clock: Clock

    @property
    def features(self) -> tuple[str, ...]:
        """What each of the numbers is that a row becomes."""
        return self.encoder.features

    @property
    def columns(self) -> tuple[NumberColumn | CategoryColumn, ...]:
        """The columns that are looked at, besides time and group."""
        return self.encoder.columns

    @property
    def own(self) -> NumberColumn:
        """What the target's own past becomes."""
        first = self.columns[0]
        assert isinstance(first, NumberColumn)
        return first

    @cached_property
    def layout(self) -> WindowLayout:
        """Which rows of a table are windows."""
        return WindowLayout(self.window, self.horizon, self.target, self.time, self.group, self.clock)

    def encode(self, raw: Any) -> Tensor:
        """Every window of some rows (a data frame, a dict of columns, a list of rows as dicts; or a list of such frames
        or dicts, which no window crosses), the last one of the last series at the end: float32 [N, window, features].
        UserError where there is none.
        """
        return torch.cat([self.encoded(table, self.layout.windows(table)) for table in tables_of(raw)])

    def encoded(self, table: Table, windows: Windows) -> Tensor:
        """These windows of the table: float32 [N, window, features]."""
        return self.encoder.encode_table(table)[torch.from_numpy(windows.rows)]

    def unseen(self, table: Table, windows: Windows) -> Iterator[tuple[int, Fault]]:
        """Windows whose last row has a category that the training part did not have, by number from 0."""
        ends = {int(row): number for number, row in enumerate(windows.rows[:, -1].tolist())}
        for row, fault in self.encoder.unseen(table):
            if row in ends:
                yield ends[row], fault

    def remarks(self, raw: Any) -> tuple[Fault, ...]:
        """What is to be told of rows whose numbers lie far outside the training part's."""
        found = (one for table in tables_of(raw) for one in table_remarks(self.columns, table))
        return tuple({repr(one): one for one in found}.values())

    def facts(self) -> dict[str, Any]:
        series = {"window": self.window, "horizon": self.horizon, "time": self.time and self.time.name}
        return {**self.encoder.facts(), "series": {**series, "group": self.group, "target": self.target}}
