"""Loaders: how they draw, and how many held-out samples lie among the training ones, without running them."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

from danlu.watch.measured import Measured
from danlu.watch.probes.loaders import read_loaders

ROWS = torch.arange(40.0).reshape(10, 4)
DATA = TensorDataset(ROWS, torch.zeros(10))


class Stream(IterableDataset[int]):
    """Samples that come as they come."""

    def __iter__(self) -> Iterator[int]:
        return iter(())


class OwnBatches:
    """Batches drawn in a way that only their user knows."""

    def __iter__(self) -> Iterator[list[int]]:
        yield [3, 1]

    def __len__(self) -> int:
        return 1


def facts(loader: Any, val_loader: Any = None) -> Measured:
    measured = Measured()
    read_loaders(measured, loader, val_loader)
    return measured


@pytest.mark.parametrize(
    ("loader", "in_order"),
    [
        (None, None),
        ([torch.zeros(2, 4)], None),
        (DataLoader(DATA), True),
        (DataLoader(DATA, shuffle=True), False),
        (DataLoader(DATA, sampler=SubsetRandomSampler([0, 1])), False),
        (DataLoader(DATA, batch_size=None), True),
        (DataLoader(DATA, batch_size=None, shuffle=True), False),
        (DataLoader(DATA, batch_sampler=BatchSampler(RandomSampler(DATA), 2, drop_last=False)), False),
        (DataLoader(DATA, batch_sampler=BatchSampler(SequentialSampler(DATA), 2, drop_last=False)), True),
        (DataLoader(DATA, batch_sampler=OwnBatches()), None),  # type: ignore
        (DataLoader(Stream()), None),
    ],
)
def test_the_sampler_tells_the_order(loader: Any, in_order: bool | None) -> None:
    assert facts(loader).draws_in_order is in_order


def loaders(train: Any, held_out: Any) -> tuple[Any, Any]:
    return DataLoader(train), DataLoader(held_out)


TWICE = ROWS.repeat(2, 1)


@pytest.mark.parametrize(
    ("train", "held_out", "share"),
    [
        (Subset(DATA, [0, 1, 2]), Subset(DATA, [2, 3, 4, 5]), 0.25),
        (Subset(DATA, [0, 1, 2]), Subset(DATA, [3, 4]), 0.0),
        (Subset(DATA, range(8)), Subset(DATA, range(6, 10)), 0.5),
        (Subset(DATA, [0, 1]), Subset(DATA, []), 0.0),
        (DATA, Subset(DATA, [1, 2]), 1.0),
        (TensorDataset(ROWS[:6]), TensorDataset(ROWS[4:]), 2 / 6),
        (TensorDataset(ROWS[:6]), Subset(TensorDataset(ROWS.clone()), [5, 6, 7, 8]), 0.25),
        (DATA, DATA, 0.0),  # whoever gives one data set twice knows
        (TensorDataset(ROWS), TensorDataset(ROWS[:, :3]), 0.0),
        (TensorDataset(ROWS), TensorDataset(ROWS.double()), 0.0),
        (TensorDataset(torch.zeros(10, 4)), TensorDataset(torch.zeros(4, 4)), 0.0),  # equal by nature
        (TensorDataset(TWICE), TensorDataset(ROWS), 0.0),
        (TensorDataset(ROWS[:, 0]), TensorDataset(ROWS[:, 0].clone()), 0.0),  # single numbers coincide
        (TensorDataset(ROWS), TensorDataset(ROWS[:0]), 0.0),
        (TensorDataset(ROWS.bool().int() + torch.arange(10)[:, None].int()), TensorDataset(torch.ones(1, 4).int()), 0),
        (TensorDataset(ROWS[:6].bfloat16()), TensorDataset(ROWS[4:].bfloat16()), 2 / 6),
        (TensorDataset(ROWS[:6].to(torch.float8_e5m2)), TensorDataset(ROWS[:3].to(torch.float8_e5m2)), 1.0),
        (TensorDataset(ROWS.to_sparse()), TensorDataset(ROWS.to_sparse()), 0.0),
        (TensorDataset(ROWS.to("meta")), TensorDataset(ROWS.to("meta")), 0.0),
        ([1, 2, 3], [1], 0.0),
    ],
)
def test_the_share_of_held_out_samples_that_are_trained_on(train: Any, held_out: Any, share: float) -> None:
    assert facts(*loaders(train, held_out)).declared_overlap == pytest.approx(share)


def test_wide_samples_are_compared_in_evenly_spaced_numbers() -> None:
    wide = torch.arange(3000.0).reshape(3, 10, 100)
    near = wide.clone()
    near[0, 0, 0] += 1  # the first number is one of those compared
    near[1, 9, 99] += 1  # the last is not
    assert facts(*loaders(TensorDataset(wide), TensorDataset(near))).declared_overlap == pytest.approx(2 / 3)


def test_without_a_second_loader_nothing_overlaps() -> None:
    assert facts(DataLoader(DATA)).declared_overlap == 0.0
    assert facts(None, DataLoader(DATA)).declared_overlap == 0.0
