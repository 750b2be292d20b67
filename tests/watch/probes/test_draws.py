"""What loaders draw: the order of each epoch, and the random numbers of the workers."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    Subset,
    TensorDataset,
    get_worker_info,
)

from danlu.watch.conduct import Draws
from danlu.watch.measured import Measured
from danlu.watch.probes.draws import DrawsProbe

ROWS = TensorDataset(torch.zeros(8, 2))
OUTER = np.random.default_rng(0)


class Samples(Dataset[torch.Tensor]):
    """Eight samples with noise from wherever `draw` has it."""

    def __init__(self, transform: Any = None) -> None:
        self.rng = np.random.default_rng(0)
        self.rng.permutation(8)
        self.transform = transform

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Any:
        return index


class Own(Samples):
    def __getitem__(self, index: int) -> Any:
        return self.rng.normal()


class Global(Samples):
    def __getitem__(self, index: int) -> Any:
        return np.random.normal()


class Torchs(Samples):
    def __getitem__(self, index: int) -> Any:
        return torch.rand(1)


class OutsideOfIt(Samples):
    def __getitem__(self, index: int) -> Any:
        return OUTER.normal()


class ByWorker(Own):
    def __getitem__(self, index: int) -> Any:
        info = get_worker_info()
        return np.random.default_rng(info.id if info else 0).normal()


class SeedsEach(Samples):
    def __getitem__(self, index: int) -> Any:
        return seeded(7)


class SeedsEachAlike(Samples):
    def __getitem__(self, index: int) -> Any:
        random.seed(3)
        return random.random()


class SeedsEachByItsPlace(Samples):
    def __getitem__(self, index: int) -> Any:
        return np.random.default_rng(index).normal()


class Moves:
    """A transform."""

    def __init__(self) -> None:
        self.generator = torch.Generator()

    def __call__(self, value: Any) -> Any:
        return value + torch.rand(1, generator=self.generator)


def seeded(number: int) -> float:
    np.random.seed(1)
    return np.random.normal() * number


def alike(worker: int) -> None:
    np.random.seed(5)


def by_worker(worker: int) -> None:
    np.random.seed(5 + worker)


def by_all(worker: int) -> None:
    own = torch.initial_seed() % 2**32
    np.random.seed(own)


def trained(loader: DataLoader[Any]) -> Draws:
    measured = Measured()
    probe = DrawsProbe(measured)
    probe.loader_begun(loader, 0)
    probe.trains()
    return measured.drawing


DRAWN: list[tuple[Any, int, Callable[[int], None] | None, str]] = [
    (Own(), 2, None, "generator"),
    (Own(), 1, None, "generator"),
    (Own(), 0, None, ""),
    (Subset(Own(), [1, 2]), 2, None, "generator"),
    (Samples(Moves()), 2, None, "generator"),
    (OutsideOfIt(), 2, None, "generator"),
    (Samples(), 2, None, ""),
    (Global(), 2, None, ""),
    (Torchs(), 2, None, ""),
    (ByWorker(), 2, None, ""),
    (Global(), 2, alike, "constant"),
    (Global(), 2, by_worker, "worker"),
    (Global(), 2, by_all, ""),
    (Global(), 2, lambda worker: np.random.seed(0), "constant"),
    (Samples(), 2, alike, ""),
    (SeedsEach(), 0, None, "sample"),
    (SeedsEachAlike(), 0, None, "sample"),
    (SeedsEachByItsPlace(), 0, None, ""),
    (ROWS, 2, alike, ""),
]


@pytest.mark.parametrize(("dataset", "workers", "start", "found"), DRAWN)
def test_random_numbers_that_come_again(
    dataset: Any, workers: int, start: Callable[[int], None] | None, found: str
) -> None:
    drawing = trained(DataLoader(dataset, num_workers=workers, worker_init_fn=start))
    assert drawing.repeats == found
    assert bool(drawing.line) == (found in ("constant", "worker", "sample"))


def test_one_worker_that_lives_on_draws_on() -> None:
    assert trained(DataLoader(Own(), num_workers=1, persistent_workers=True)).repeats == ""
    assert trained(DataLoader(Own(), num_workers=2, persistent_workers=True)).repeats == "generator"


def test_a_loader_that_is_evaluated_is_left_alone() -> None:
    measured = Measured()
    probe = DrawsProbe(measured)
    probe.loader_begun(DataLoader(Own(), num_workers=2), 0)
    probe.evaluates()
    probe.trains()
    assert measured.drawing == Draws()


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(("tells", "shuffles", "unchanged"), [(True, True, 0), (False, True, 3), (False, False, 0)])
def test_epochs_of_which_the_sampler_is_not_told(inside: bool, tells: bool, shuffles: bool, unchanged: int) -> None:
    sampler: Any = DistributedSampler(ROWS, num_replicas=2, rank=0, shuffle=shuffles)
    batches = BatchSampler(sampler, 2, drop_last=False)
    loader: Any = DataLoader(ROWS, batch_sampler=batches) if inside else DataLoader(ROWS, 2, sampler=sampler)
    measured = Measured()
    probe = DrawsProbe(measured)
    for epoch in range(4):
        if tells:
            sampler.set_epoch(epoch)
        probe.loader_begun(loader, 10 * epoch)
        probe.trains()
    assert measured.drawing.unchanged == unchanged
    assert measured.drawing.passes == (4 if shuffles else 0)
    assert measured.drawing.unchanged_since == (10 if unchanged else 0)


def begun_together(one: Any, other: Any) -> int:
    """Of two epochs those whose loaders draw apart."""
    measured = Measured()
    probe = DrawsProbe(measured)
    for step in (1, 9):
        probe.loader_begun(one, step)
        probe.loader_begun(other, step)
        probe.trains()
    return measured.drawing.apart


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ({"shuffle": True}, {"shuffle": True}, 2),
        ({"shuffle": True}, {"shuffle": False}, 0),
        ({"shuffle": True}, {"shuffle": True, "batch_size": 4}, 0),
        ({"shuffle": True}, {"shuffle": True, "generator": torch.Generator()}, 0),
    ],
)
def test_two_loaders_that_are_gone_through_side_by_side(first: Any, second: Any, apart: int) -> None:
    other = TensorDataset(torch.ones(8, 2))
    assert (
        begun_together(DataLoader(ROWS, **{"batch_size": 2, **first}), DataLoader(other, **{"batch_size": 2, **second}))
        == apart
    )
    assert begun_together(DataLoader(ROWS, **first), DataLoader(ROWS, **second)) == 0
