"""Data that fit in memory: one tensor, of which a batch is one gather and one vectorised transform."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePath
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.seeds import balanced_order, order
from danlu.data.dataset import Dataset, checksum, digest
from danlu.data.feeds import MapFeed, Wanted, refuse_bad
from danlu.data.label_sets import LabelSets
from danlu.data.parts import PARTS
from danlu.data.place_labels import PixelLabels, TokenLabels
from danlu.data.standard import Pixels
from danlu.data.targets import CLASSED, Labels
from danlu.data.transforms.augment import Augmentation
from danlu.data.transforms.one_by_one import OneByOne

# Several batches are gathered and transformed at once: enough to make Python's share of a batch vanish, and few enough
# to stay in the processor's cache (2 MiB was the fastest of 0.25 to 32 MiB on MNIST with batches of 64 and 128).
CHUNK_BYTES = 2 * 2**20
# Data up to this size move to the device once and stay there; bigger data move chunk by chunk.
RESIDENT_BYTES = 2 * 2**30


_RARE = 0.1  # share of a class from which on always answering with the others is right nine times in ten
# Characters of a sample's description: it stands below a small picture.
MAX_DESCRIPTION = 120


@runtime_checkable
class RowEncoder(Protocol):
    """An encoder that can say what an encoded row was."""

    def describe(self, sample: Tensor) -> str: ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MemoryDataset(Dataset):
    """`x` and `y` hold the training part, then validation, then test; `pixels` is what uint8 images go through, and
    before that `augmentation` where it is asked for. `content` are checksums of what `x` and `y` were made of, where
    they are standardised: the last digits of a mean depend on the machine and the number of threads.
    """

    x: Tensor
    y: Tensor
    pixels: Pixels | None = None
    augmentation: Augmentation | None = None
    workers: int = 0  # processes that run a user's own transforms
    content: tuple[int, ...] | None = None
    balances: bool = False  # whether an order that is drawn for the training part has as many samples of each class
    lines: Tensor | None = None  # of each sample in the file that it was read from
    columns: dict[str, int] | None = None  # of a table, the target's included: a checksum of each
    on_disk: bool = False  # x is a file that is mapped, perhaps larger than memory: it is never copied as a whole
    sample_weights: Tensor | None = None  # of the training part: how much each counts in the loss, 1 on the average
    _views: dict[str, Dataset] = field(default_factory=dict[str, Dataset], repr=False)
    _moved: dict[Any, tuple[Tensor, Tensor]] = field(default_factory=dict[Any, tuple[Tensor, Tensor]], repr=False)

    def batches(
        self,
        part: str,
        batch_size: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        start: int = 0,
        shuffle: bool = False,
        augment: bool = False,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        augmentation = self.augmentation if augment and part == "train" else None
        if augmentation and augmentation.callables:
            yield from self._one_by_one(augmentation, Wanted(batch_size, seed, epoch, start, shuffle), device, dtype)
            return
        x, y = self._on(device, dtype)
        offset, count = self._place(part)
        balances = self.balances and shuffle and part == "train"
        drawn = balanced_order(self.y[offset : offset + count], seed, epoch) if balances else None
        if shuffle and drawn is None:
            drawn = order(count, seed, epoch)
        rows = None if drawn is None else drawn.add_(offset).to(x.device)
        transform = self.pixels.on(device, dtype) if self.pixels else None
        per_chunk = self._batches_per_chunk(batch_size, dtype)
        # Chunks begin where they would in a whole epoch, so that a batch lies at the same alignment in memory after a
        # resume: sums inside a matrix product may depend on it.
        chunk, skip = divmod(start, per_chunk)
        step = per_chunk * batch_size
        for first in range(chunk * step, count, step):
            last = min(first + step, count)
            if rows is None:
                samples, targets = x[offset + first : offset + last], y[offset + first : offset + last]
            else:
                samples, targets = x.index_select(0, rows[first:last]), y.index_select(0, rows[first:last])
            if x.device != device:
                samples, targets = samples.to(device), targets.to(device)
            if samples.is_floating_point():  # where they could not be changed once, for all epochs
                samples = samples.to(dtype)
            if augmentation:
                # A sample that comes several times in an epoch is changed anew each time.
                own = None if balances else rows
                numbers = torch.arange(first, last, device=device) if own is None else own[first:last].to(device)
                samples = augmentation(samples, numbers, seed, epoch)
                if isinstance(self.target, PixelLabels):
                    targets = augmentation.masks(targets, numbers, seed, epoch)
            if transform:
                samples = transform(samples)
            yield from islice(zip(samples.split(batch_size), targets.split(batch_size), strict=True), skip, None)
            skip = 0

    def _one_by_one(
        self, augmentation: Augmentation, wanted: Wanted, device: torch.device, dtype: torch.dtype
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The training part through a user's own callables, in worker processes."""
        assert self.pixels
        pictures = OneByOne(self.x, self.y, augmentation.callables)
        for batch in MapFeed(pictures, torch.arange(self.sizes["train"]), self.workers).batches(wanted):
            x, y = refuse_bad(batch)
            if tuple(x.shape[1:]) != self.sample_shape:
                fail("data.augment-shape", found=list(x.shape[1:]), wanted=list(self.sample_shape))
            # Floats are bytes divided by 255, whatever the brightest of these pictures' bytes is.
            peak = self.pixels.peak / 255 if x.is_floating_point() else None
            yield self.pixels.on(device, dtype, peak)(x.to(device)), y.to(device)

    def batch_count(self, part: str, batch_size: int) -> int:
        return -(-self.sizes[part] // batch_size)

    def fingerprint(self) -> str:
        # Of what is measured (the mean of pixels, of a target) nothing, for the reason that `content` is kept for.
        content = self.content or checksum(self.x, self.y)
        meaning = (
            repr(self.target)
            if isinstance(self.target, Labels | PixelLabels | TokenLabels)
            else [self.task, self.outputs]
        )
        if isinstance(self.target, LabelSets):
            meaning = [self.task, list(self.target.names)]
        pixels = None if self.pixels is None else self.pixels.peak
        weights = [] if self.sample_weights is None else checksum(self.sample_weights)
        return digest(content, list(self.x.shape), str(self.x.dtype), self.sizes, meaning, pixels, *weights)

    def weighted(self) -> Dataset | None:
        if self.sample_weights is None:
            return None
        if "weighted" not in self._views:
            others = torch.ones(len(self.y) - len(self.sample_weights), dtype=torch.float64)
            weights = torch.cat([self.sample_weights, others])[:, None]
            targets = torch.cat([weights, self.y.reshape(len(self.y), -1).double()], 1)
            self._views["weighted"] = replace(self, y=targets, _moved={}, _views={})
        return self._views["weighted"]

    def balanced(self) -> Dataset:
        if self.augmentation and self.augmentation.callables:
            fail("data.balance-callables")
        return replace(self, balances=True)

    def class_counts(self) -> tuple[int, ...] | None:
        return self._counts("train") if isinstance(self.target, Labels | PixelLabels | TokenLabels) else None

    @property
    def rare_class(self) -> int | None:
        if not isinstance(self.target, Labels):
            return None
        pairs = zip(self._counts("train"), self._counts("validation"), strict=True)
        counts = [sum(pair) for pair in pairs]
        share = min(counts) / max(1, sum(counts))
        return counts.index(min(counts)) if 0 < share < min(_RARE, 0.5 / len(counts)) else None

    def _counts(self, part: str) -> tuple[int, ...]:
        offset, count = self._place(part)
        own = self.y[offset : offset + count]
        if isinstance(self.target, LabelSets):
            return tuple(own.sum(0).long().tolist())
        counts = torch.bincount(own[own >= 0], minlength=self.outputs)
        return tuple(counts.tolist())

    def facts(self) -> dict[str, Any]:
        offset, count = self._place("train")
        measured: dict[str, Any] = {}
        if self.x.is_floating_point() and count and not self.on_disk:
            train = self.x[offset : offset + count].double()
            measured = {"mean": train.mean().item(), "std": train.std(correction=0).item()}
        facts = {**measured, **super().facts()}
        if self.augmentation:
            facts["augment"] = self.augmentation.facts()
        if isinstance(self.target, CLASSED):
            facts["classes"] = {name: {} for name in self.classes}
            for part in PARTS:
                for name, number in zip(self.classes, self._counts(part), strict=True):
                    facts["classes"][name][part] = number
        return facts

    def describe(self, part: str, number: int, sample: Tensor) -> str:
        if not isinstance(self.encoder, RowEncoder):
            return super().describe(part, number, sample)
        name = super().describe(part, number, sample)
        if self.lines is not None:
            name = f"{PurePath(self.origin.path or self.name).name}:{int(self.lines[self._place(part)[0] + number])}"
        text = f"{name} · {self.encoder.describe(sample)}"
        return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"

    def _place(self, part: str) -> tuple[int, int]:
        """Where a part begins, and how many samples it has."""
        return sum(self.sizes[earlier] for earlier in PARTS[: PARTS.index(part)]), self.sizes[part]

    def _batches_per_chunk(self, batch_size: int, dtype: torch.dtype) -> int:
        batch_bytes = batch_size * max(1, self.x[0].numel()) * dtype.itemsize
        return max(1, CHUNK_BYTES // batch_bytes)

    def _on(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The tensors on the device (where they fit) and floats in `dtype`: changed once, not every epoch."""
        home = device if self.x.nbytes <= RESIDENT_BYTES and not self.on_disk else torch.device("cpu")
        if (home, dtype) not in self._moved:
            given = (self.y,) if self.on_disk else (self.x, self.y)
            moved = [tensor.to(home, dtype) if tensor.is_floating_point() else tensor.to(home) for tensor in given]
            self._moved[home, dtype] = (self.x if self.on_disk else moved[0], moved[-1])
        return self._moved[home, dtype]
