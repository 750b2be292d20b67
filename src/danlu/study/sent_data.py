"""The data of a study as they are sent to a cluster: what trains and what judges, and nothing of the test part."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from danlu.data import Dataset
from danlu.data.memory import MemoryDataset
from danlu.study.plan import Planned


class DataToSend:
    """Makes what is sent out of data sets: tensors that several of them share stay shared, so they are sent once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}
        self._made: dict[int, tuple[Dataset, Dataset]] = {}

    def of(self, data: Dataset) -> Dataset:
        """The data set with an empty test part. In memory its rows are gone; files stay where they are, and a worker
        must find them there."""
        if id(data) not in self._made:
            self._made[id(data)] = (data, self._without_test(data))
        return self._made[id(data)][1]

    def _without_test(self, data: Dataset) -> Dataset:
        sizes = {**data.sizes, "test": 0}
        if not isinstance(data, MemoryDataset):
            return replace(data, sizes=sizes)
        rows = sizes["train"] + sizes["validation"]
        return replace(
            data, sizes=sizes, x=self._first(data.x, rows), y=self._first(data.y, rows), lines=None, numbers=None,
            making=None, _views={}, _moved={},
        )  # fmt: skip

    def _first(self, whole: Tensor, rows: int) -> Tensor:
        if (id(whole), rows) not in self._rows:
            # A copy: what is a view of a tensor is sent with all that it views.
            self._rows[id(whole), rows] = (whole, whole[:rows].clone())
        return self._rows[id(whole), rows][1]

    def planned(self, combinations: Sequence[Planned]) -> list[Planned]:
        """Combinations without the net that each was set up with: a worker builds those that it trains."""
        folds = {id(one.folds): [self.of(data) for data in one.folds] for one in combinations}
        return [
            Planned(one.cell, replace(one.setup, net=nn.Identity(), data=self.of(one.setup.data)), folds[id(one.folds)])
            for one in combinations
        ]
