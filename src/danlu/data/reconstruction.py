"""Data whose target is the sample itself: what goes into a net is to come out of it again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.data.dataset import Builder, Dataset
from danlu.data.options import Options
from danlu.data.table.encoder import TableEncoder
from danlu.data.targets import Itself

TASK = "reconstruction"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reconstruction(Dataset):
    """The samples of `inner` with themselves, flattened to [N, features], as targets."""

    inner: Dataset

    @property
    def own_batch_size(self) -> int | None:
        return self.inner.own_batch_size

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
        keys: dict[str, Any] = {"seed": seed, "epoch": epoch, "start": start, "shuffle": shuffle, "augment": augment}
        for x, _ in self.inner.batches(part, batch_size, device=device, dtype=dtype, **keys):
            yield x, x.flatten(1)

    def batch_count(self, part: str, batch_size: int) -> int:
        return self.inner.batch_count(part, batch_size)

    def fingerprint(self) -> str:
        return self.inner.fingerprint()


def build(builder: Builder, options: Options) -> Dataset:
    """What `builder` makes, as data to be reconstructed where the options ask for that.

    Pictures are then from 0 to 1, as a sigmoid gives them, unless they are to be standardised.
    """
    if options.task != TASK:
        return builder(options)
    return reconstruction(builder(replace(options, task="auto", standardise=options.standardise or False)))


def reconstruction(data: Dataset) -> Reconstruction:
    """`data` with its samples for targets, pictures and arrays once more as they came (pictures from 0 to 1) where they
    can be loaded again and nobody asked to standardise them. Raises UserError where samples are tokens.
    """
    if data.vocabulary is not None:
        fail("data.tokens-not-reconstructed", name=data.name)
    making = data.making
    if making is not None and making.options.standardise is None and not isinstance(data.encoder, TableEncoder):
        data = making.read()(replace(making.options, standardise=False))
    return Reconstruction(
        name=data.name,
        sample_shape=data.sample_shape,
        sizes=data.sizes,
        target=Itself(torch.Size(data.sample_shape).numel()),
        encoder=data.encoder,
        notes=data.notes,
        origin=data.origin,
        recipe=data.recipe and replace(data.recipe, task=TASK),
        making=data.making and replace(data.making, options=replace(data.making.options, task=TASK)),
        inner=data,
    )
