"""Where streamed batches come from: a map-style torch Dataset in danlu's order, or a DataLoader taken as it is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Protocol

import numpy
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from danlu.base.errors import DanluError, Fault, UserError, fail
from danlu.base.memory import is_out_of_memory
from danlu.base.seeds import order, sample_seed, stream
from danlu.base.signals import ChildDeaths
from danlu.data.dataset import checksum
from danlu.data.samples import checked_sample, kind_of

MOST_SHOWN = 300  # characters of an error of the user's own code
_DEATHS = ChildDeaths()
_NO_MORE = object()

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
    the number of workers, and after a resume. From `batch_size` to `shuffled` it is what a user's DataLoader brought
    along.
    """

    dataset: Any
    rows: Tensor
    workers: int = 0
    batch_size: int | None = None
    collate: Collate | None = None
    drop_last: bool = False
    shuffled: bool = True
    targets_only: bool = False  # leaves the samples where they were read: x is [B, 0]
    slice_of: Callable[[int], tuple[int, int]] | None = None  # of a batch of so many samples, those that are read

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
        batches = places.split(size) if len(places) else ()
        return batches if self.slice_of is None else tuple(map(self._slice, batches))

    def _slice(self, batch: Tensor) -> Tensor:
        assert self.slice_of is not None
        first, last = self.slice_of(len(batch))
        return batch[first:last] if last > first else batch[:1]

    def batches(self, wanted: Wanted) -> Iterator[Any]:
        places = self.places(wanted)
        if not places:
            return
        loader: Iterable[Any] = DataLoader(
            _Keyed(self.dataset, wanted.seed, wanted.epoch, checked=self.collate is None),
            batch_sampler=[self.rows[batch].tolist() for batch in places],
            num_workers=self.workers,
            collate_fn=_Collating(self.collate or (collate_targets if self.targets_only else collate_samples)),
            generator=stream(wanted.seed, "workers", wanted.epoch),
        )
        yield from guarded(loader)  # a worker may die

    def batch_count(self, batch_size: int) -> int:
        size = self.batch_size or batch_size
        return self.count // size if self.drop_last else -(-self.count // size)

    def content(self) -> list[Any]:
        """A checksum of eight samples: to read them all could take hours."""
        keyed = _Keyed(self.dataset, 0, 0, checked=True)
        some = numpy.linspace(0, self.count - 1, min(8, self.count)).astype(int)
        samples = [refuse_bad(self._pair(keyed, int(self.rows[place]))) for place in some]
        return [checksum(self.rows), *(checksum(x) for x, _ in samples), *(str(y) for _, y in samples)]

    def _pair(self, keyed: "_Keyed", index: int) -> Any:
        """A sample as (x, y); where only a user's collate function makes a pair of it, that batch of one."""
        found = keyed[index]
        if self.collate is None or not isinstance(found, BadBatch):
            return found
        return _Collating(self.collate)([_Keyed(self.dataset, 0, 0, checked=False)[index]])


@dataclass(frozen=True, eq=False)
class LoaderFeed:
    """A DataLoader whose order is its own; going on mid-epoch draws and drops the batches that came before."""

    loader: Any
    count: int
    number: int
    batch_size: int | None = None  # of its largest batch
    drop_last: bool = False
    fixed: bool = False  # `number` was asked for: the loader may have more batches than these

    def batches(self, wanted: Wanted) -> Iterator[Any]:
        # Samplers draw their order with the first batch: under a seed of ours, one that uses torch's global generator
        # gives the same order again.
        with sample_seed(wanted.seed, "loader", wanted.epoch):
            iterator = guarded(self.loader)
            first = list(islice(iterator, 1))
        if self.number and not first:
            fail("data.loader-spent", batches=self.number)
        given = 0
        # One more than was counted tells that the loader varies; there may well be more than what was asked for.
        limit = self.number if self.fixed else self.number + 1
        for given, batch in enumerate(islice(chain(first, iterator), limit), start=1):
            if given > self.number:
                fail("data.loader-varies", counted=self.number, found=f"> {self.number}")
            if given > wanted.start:
                yield batch
        if given < self.number:
            fail("data.loader-varies", counted=self.number, found=given)

    def batch_count(self, batch_size: int) -> int:
        return self.number

    def content(self) -> list[Any]:
        return [self.count, self.number]


@dataclass(frozen=True)
class BadBatch:
    """What a worker hands over instead of a batch: an error that crossed a process would have lost its form."""

    fault: Fault


class _Keyed(Dataset[Any]):
    """A dataset whose every sample is a function of (seed, epoch, index), also where it draws random numbers.

    With `checked` a sample is what `checked_sample` makes of it. What is wrong with one comes as a BadBatch.
    """

    def __init__(self, dataset: Any, seed: int, epoch: int, *, checked: bool) -> None:
        self.dataset, self.seed, self.epoch, self.checked = dataset, seed, epoch, checked

    def __getitem__(self, index: int) -> Any:
        with sample_seed(self.seed, "sample", self.epoch, index):
            try:
                sample = self.dataset[index]
            except DanluError as error:
                return BadBatch(error.faults[0])
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                return BadBatch(Fault("data.sample-fails", {"index": index, "reason": _reason(error)}))
        sample = checked_sample(sample, index) if self.checked else sample
        return BadBatch(sample) if self.checked and isinstance(sample, Fault) else sample


@dataclass(frozen=True)
class _Collating:
    """A collate function that hands on what is wrong with a sample, and tells what it cannot put together."""

    collate: Collate

    def __call__(self, samples: list[Any]) -> Any:
        for sample in samples:
            if isinstance(sample, BadBatch):
                return sample
        try:
            return self.collate(samples)
        except DanluError as error:
            return BadBatch(error.faults[0])
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return BadBatch(Fault("data.collate-fails", {"reason": _reason(error)}))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MOST_SHOWN]


def guarded(batches: Iterable[Any]) -> Iterator[Any]:
    """The batches of a user's own loader; UserError where it fails. That a worker has died is told by the batch that is
    asked for next: torch would raise it in the midst of the step that is being made.
    """
    workers, iterator, batch = getattr(batches, "num_workers", 0), None, None
    with _DEATHS.held():
        while batch is not _NO_MORE:
            reason = ""
            try:
                with _DEATHS.awaited():
                    iterator = iter(batches) if iterator is None else iterator
                    batch = next(iterator, _NO_MORE)
            except Exception as error:
                if isinstance(error, DanluError) or is_out_of_memory(error):
                    raise
                reason = _reason(error)
                if not workers:
                    raise UserError(Fault("data.loader-fails", {"reason": reason})) from error
            if reason:
                # With its workers gone the error is all in its words. It would keep the iterator alive, and as long as
                # that is there torch tells of a death, whatever is done then.
                iterator = None
                fail("data.loader-fails", reason=reason)
            if batch is not _NO_MORE:
                yield batch


def refuse_bad(batch: Any) -> Any:
    """The batch, unless it is an error in its place."""
    if isinstance(batch, BadBatch):
        raise UserError(batch.fault)
    return batch


def collate_samples(samples: list[Any]) -> Any:
    """Checked samples (x, y) as (x [B, ...], y [B, ...]); images become uint8 [B, C, H, W]."""
    x = [x for x, _ in samples]
    shapes = list(dict.fromkeys(tuple(sample.shape) for sample in x))
    if len(shapes) > 1:
        return BadBatch(Fault("data.shapes-differ", {"first": list(shapes[0]), "other": list(shapes[1])}))
    kinds = list(dict.fromkeys(kind_of(y) for _, y in samples))
    try:
        return torch.stack(x), default_collate([y for _, y in samples])
    except (TypeError, RuntimeError, ValueError):
        return BadBatch(Fault("data.targets-differ", {"found": ", ".join(kinds)}))


def collate_targets(samples: list[Any]) -> Any:
    """Of checked samples only the targets cross from the worker."""
    batch = collate_samples(samples)
    return batch if isinstance(batch, BadBatch) else (torch.empty(len(samples), 0), batch[1])
