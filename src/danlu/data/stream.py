"""Data too big for memory, or that only a user's own code can read: streamed batch by batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.data.dataset import Dataset, digest
from danlu.data.feeds import Feed, MapFeed, Wanted, refuse_bad
from danlu.data.samples import finite, kind_of, unfit
from danlu.data.several_encoder import layout_of
from danlu.data.standard import Pixels
from danlu.data.targets import Labels
from danlu.data.transforms.augment import Augmentation


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StreamDataset(Dataset):
    """Batches come from `feeds`, one for each part that has samples; `pixels` is what uint8 images go through.

    `augmentation` is done to pictures of the training part where it is asked for; where it is made of a user's own
    callables, `own_feed` runs them in its workers.
    """

    feeds: dict[str, Feed]
    pixels: Pixels | None = None
    augmentation: Augmentation | None = None
    own_feed: Feed | None = None

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
        if not self.sizes[part]:
            return
        transform = self.pixels.on(device, dtype) if self.pixels else None
        wanted = Wanted(batch_size, seed, epoch, start, shuffle)
        augment = augment and part == "train"
        feed = self.own_feed if augment and self.own_feed else self.feeds[part]
        augmentation = self.augmentation if augment and isinstance(feed, MapFeed) else None
        places = feed.places(wanted) if augmentation and isinstance(feed, MapFeed) else ()
        for number, batch in enumerate(feed.batches(wanted)):
            x, y = pair_of(refuse_bad(batch))
            x = x.to(device)
            if augmentation and x.dtype == torch.uint8:
                x = augmentation(x, places[number].to(device), seed, epoch)
            if transform and x.dtype == torch.uint8:
                x = transform(x)
            elif self.pixels and self.own_feed and x.is_floating_point():
                x = self.pixels.on(device, dtype, 1.0)(x)
            else:
                x = x.to(dtype)
            yield x, self._target(y, device, dtype)

    def shared(self, slice_of: Callable[[int], tuple[int, int]]) -> "StreamDataset | None":
        feed, own = self.feeds["train"], self.own_feed
        if not isinstance(feed, MapFeed) or not (own is None or isinstance(own, MapFeed)):
            return None
        feeds = {**self.feeds, "train": replace(feed, slice_of=slice_of)}
        return replace(self, feeds=feeds, own_feed=None if own is None else replace(own, slice_of=slice_of))

    @property
    def own_batch_size(self) -> int | None:
        feed = self.feeds["train"]
        if feed.batch_size is None:
            return None
        return feed.batch_size if feed.drop_last else min(feed.batch_size, feed.count)

    def batch_count(self, part: str, batch_size: int) -> int:
        return self.feeds[part].batch_count(batch_size) if self.sizes[part] else 0

    def fingerprint(self) -> str:
        content = {part: feed.content() for part, feed in self.feeds.items() if feed.count}
        layout = layout_of(self.encoder)
        described = [] if layout is None else [repr(layout)]
        return digest(content, self.sizes, list(self.sample_shape), repr(self.target), *described)

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "streamed": True}

    def _target(self, y: Any, device: torch.device, dtype: torch.dtype) -> Tensor:
        if not isinstance(self.target, Labels):
            return torch.as_tensor(y).to(device, dtype).reshape(len(y), -1)
        if isinstance(y, Tensor) and self.target.values == tuple(range(self.outputs)):
            return y.to(device, torch.int64).reshape(len(y))
        place = {value: index for index, value in enumerate(self.target.values)}
        values = y.reshape(len(y)).tolist() if isinstance(y, Tensor) else y
        strange = [value for value in values if value not in place]
        if strange:
            fail("data.strange-label", name=self.name, found=strange[0])
        return torch.tensor([place[value] for value in values], dtype=torch.int64, device=device)


def pair_of(batch: Any) -> tuple[Tensor, Any]:
    """The two halves of a batch that a user's collate function made."""
    if not (isinstance(batch, tuple | list) and len(batch) == 2 and isinstance(batch[0], Tensor)):
        fail("data.not-a-pair", found=kind_of(batch))
    x, y = batch
    if unfit(x):
        fail("data.bad-batch", found=kind_of(x))
    if not hasattr(y, "__len__") or x.dim() == 0 or (isinstance(y, Tensor) and y.dim() == 0) or len(x) != len(y):
        fail("data.batch-lengths", x=kind_of(x), y=kind_of(y))
    if not finite(x) or not finite(y):
        fail("data.batch-not-finite")
    return x, y
