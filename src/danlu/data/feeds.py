"""Where streamed batches come from: a map-style torch Dataset in danlu's order, or a DataLoader taken as it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from danlu.base.errors import fail
from danlu.base.seeds import order, sample_seed, stream
from danlu.data.dataset import checksum
from danlu.data.samples import collate_samples, to_tensor

Collate = Callable[[list[Any]], Any]


@dataclass(frozen=True)
class Wanted:
    """Which batches: of `epoch`, from number `start` on."""

    batch_size: int
    seed: int = 0
    epoch: int = 0
    start: int = 0
    shuffle: bool = False


class Feed(Protocol):
    """The batches of one part, as the user's dataset gives them; `batch_size` is None where any can be asked for."""

    @property
    def batch_size(self) -> int | None: ...

    @property
    def drop_last(self) -> bool: ...

    @property
    def count(self) -> int: ...

    def batches(self, wanted: Wanted) -> Iterator[Any]: ...

    def batch_count(self, batch_size: int) -> int: ...

    def content(self) -> list[Any]: ...


@dataclass(frozen=True, eq=False)
class MapFeed:
    """The samples `rows` of a map-style dataset, fetched by DataLoader workers.

    Random transforms draw from a stream keyed by (seed, epoch, sample), so that a sample comes out the same whatever
    the number of workers, and after a resume. The last four are what
    a user's DataLoader brought along.
    """

    dataset: Any
    rows: Tensor
    workers: int = 0
    batch_size: int | None = None
    collate: Collate | None = None
    drop_last: bool = False
    shuffled: bool = True

    @property
    def count(self) -> int:
        return len(self.rows)

    def places(self, wanted: Wanted) -> tuple[Tensor, ...]:
        """Which of the part's samples each batch holds, counted from 0 as they stand in `rows`."""
        size = self.batch_size or wanted.batch_size
        shuffle = wanted.shuffle and self.shuffled
        places = order(self.count, wanted.seed, wanted.epoch) if shuffle else torch.arange(self.count)
        places = places[wanted.start * size :]
        if self.drop_last:
            places = places[: len(places) // size * size]
        return places.split(size) if len(places) else ()

    def batches(self, wanted: Wanted) -> Iterator[Any]:
        places = self.places(wanted)
        if not places:
            return
        yield from DataLoader(
            _Keyed(self.dataset, wanted.seed, wanted.epoch),
            batch_sampler=[self.rows[batch].tolist() for batch in places],
            num_workers=self.workers,
            collate_fn=self.collate or collate_samples,
            generator=stream(wanted.seed, "workers", wanted.epoch),
        )

    def batch_count(self, batch_size: int) -> int:
        size = self.batch_size or batch_size
        return self.count // size if self.drop_last else -(-self.count // size)

    def content(self) -> list[Any]:
        """A checksum of eight samples: to read them all could take hours."""
        keyed = _Keyed(self.dataset, 0, 0)
        some = numpy.linspace(0, self.count - 1, min(8, self.count)).astype(int)
        samples = [keyed[int(self.rows[place])] for place in some]
        return [checksum(self.rows), *(checksum(to_tensor(x)) for x, _ in samples), *(str(y) for _, y in samples)]


@dataclass(frozen=True, eq=False)
class LoaderFeed:
    """A DataLoader whose order is its own; going on mid-epoch draws and drops the batches that came before."""

    loader: Any
    count: int
    number: int
    batch_size: int | None = None  # of its largest batch
    drop_last: bool = False

    def batches(self, wanted: Wanted) -> Iterator[Any]:
        # Samplers draw their order with the first batch: under a seed of ours, one that uses torch's global generator
        # gives the same order again.
        with sample_seed(wanted.seed, "loader", wanted.epoch):
            iterator = iter(self.loader)
            first = list(islice(iterator, 1))
        if self.number and not first:
            fail("data.loader-spent", batches=self.number)
        yield from first[wanted.start :]
        yield from islice(iterator, max(0, wanted.start - 1), None)

    def batch_count(self, batch_size: int) -> int:
        return self.number

    def content(self) -> list[Any]:
        return [self.count, self.number]


class _Keyed(Dataset[Any]):
    """A dataset whose every sample is a function of (seed, epoch, index), also where it draws random numbers."""

    def __init__(self, dataset: Any, seed: int, epoch: int) -> None:
        self.dataset, self.seed, self.epoch = dataset, seed, epoch

    def __getitem__(self, index: int) -> Any:
        with sample_seed(self.seed, "sample", self.epoch, index):
            return self.dataset[index]
