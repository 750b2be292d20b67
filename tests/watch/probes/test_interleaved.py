"""Rows of an ordered table that were dealt out at random."""

import math
from typing import Any

import numpy
import pytest
import torch
from sklearn import datasets
from torch.utils.data import DataLoader, Dataset, Subset, SubsetRandomSampler, TensorDataset

from danlu.watch.measured import Measured
from danlu.watch.probes.held_out import HeldOutProbe
from danlu.watch.probes.interleaved import interleaved
from danlu.watch.probes.loaders import read_loaders

COUNT = 600


def walk(keep: float = 0.97, columns: int = 5) -> torch.Tensor:
    """Numbers [600, columns] of which each resembles the one before."""
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randn(columns, generator=generator)]
    for _ in range(COUNT - 1):
        rows.append(keep * rows[-1] + (1 - keep**2) ** 0.5 * torch.randn(columns, generator=generator))
    return torch.stack(rows)


def dealt(dataset: Any, *, mixed: bool = True) -> tuple[Any, Any]:
    """Loaders of four fifths and a fifth of it, at random or in one piece."""
    count = len(dataset)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(1)).tolist() if mixed else list(range(count))
    cut = count * 4 // 5
    return DataLoader(Subset(dataset, order[:cut]), 32, shuffle=True), DataLoader(Subset(dataset, order[cut:]), 32)


class Table(Dataset[Any]):
    """A data set of somebody's own, of arrays."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y = x.numpy(), y.numpy()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, place: int) -> Any:
        return self.x[place], self.y[place]


def table(x: torch.Tensor, y: torch.Tensor) -> TensorDataset:
    return TensorDataset(x, y)


ROWS = walk()
X, Y = ROWS[:, :4], ROWS[:, 4] + ROWS[:, 0]
LINE = torch.linspace(-3, 3, COUNT)
GRID = torch.cartesian_prod(torch.linspace(-1, 1, 24), torch.linspace(-1, 1, 25))
SORTED = X.sum(1).argsort()

# By what the table is: its data set, and whether its rows lie in an order that its neighbours share.
TABLES: dict[str, tuple[Any, bool]] = {
    "numbers in time": (table(X, Y), True),
    "as a column": (table(X, Y[:, None]), True),
    "classes in time": (table(X, (Y > 0).long()), True),
    "arrays": (Table(X, Y), True),
    "some of the columns": (table(torch.cat([X, torch.randn(COUNT, 3)], 1), Y), True),
    "few of the columns": (table(torch.cat([X[:, :2], torch.randn(COUNT, 8)], 1), Y), False),
    "nothing in time": (table(X[torch.randperm(COUNT)], Y), False),
    "targets of no time": (table(X, torch.randn(COUNT)), False),
    "sorted by the target": (table(X[SORTED][:, :1] + torch.randn(COUNT, 4), X.sum(1)[SORTED]), False),
    "sorted by a column": (table(LINE[:, None], LINE.sin()), False),
    "a grid": (table(GRID, GRID.sum(1)), False),
    "all the same": (table(torch.ones(COUNT, 3), torch.ones(COUNT)), False),
    "few rows": (table(X[:150], Y[:150]), False),
    "not a number": (table(X.index_fill(0, torch.tensor([5]), float("nan")), Y), False),
}


@pytest.mark.parametrize("kind", TABLES)
def test_rows_beside_rows(kind: str) -> None:
    dataset, ordered = TABLES[kind]
    share = interleaved(*dealt(dataset))
    assert share > 0.8 if ordered else not share > 0
    assert not interleaved(*dealt(dataset, mixed=False)) > 0


def test_samplers_deal_out_as_subsets_do() -> None:
    dataset, order = table(X, Y), torch.randperm(COUNT, generator=torch.Generator().manual_seed(1)).tolist()
    train = DataLoader(dataset, 32, sampler=SubsetRandomSampler(order[:480]))
    held_out = DataLoader(dataset, 32, sampler=SubsetRandomSampler(order[480:]))
    assert interleaved(train, held_out) > 0.8


def test_what_is_not_one_table_is_not_compared() -> None:
    train, held_out = dealt(table(X, Y))
    other = DataLoader(table(X, Y), 32)
    for pair in ((train, other), (None, held_out), ([1], held_out), (train, None)):
        assert math.isnan(interleaved(*pair))
    assert interleaved(train, train) == 0


def test_tables_as_they_are_published_are_no_series() -> None:
    for load in (datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_diabetes):
        x, y = load(return_X_y=True)
        dataset = table(torch.tensor(x).float(), torch.tensor(numpy.asarray(y)))
        assert not interleaved(*dealt(dataset)) > 0, load.__name__
    x, y = datasets.load_digits(return_X_y=True)
    assert not interleaved(*dealt(table(torch.tensor(x).float(), torch.tensor(y)))) > 0


def test_it_is_heard_of_where_the_loaders_are_gone_through_and_where_they_are_given() -> None:
    train, held_out = dealt(table(X, Y))
    measured = Measured()
    probe = HeldOutProbe(measured)
    for loader, begins in ((train, probe.trains), (held_out, lambda: probe.sees(X[:32], 7))):
        probe.loader_begun(loader)
        begins()
    assert measured.unfair["beside"].step == 7
    given = Measured()
    read_loaders(given, train, held_out)
    assert given.unfair["beside"].share == measured.unfair["beside"].share > 0.8
