"""What a data set is to the rest of danlu: its parts, its batches, and what is known of it."""

import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault
from danlu.base.recipe import DataRecipe
from danlu.data.targets import Labels, Quantities

PARTS = ("train", "validation", "test")


class Encoder(Protocol):
    """Turns raw samples, as the user has them, into what the net takes."""

    def encode(self, raw: Any) -> Tensor: ...

    def facts(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Origin:
    """Where the samples come from, as far as it is known."""

    path: str | None = None
    licence: str | None = None
    source: str | None = None
    title: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset(ABC):
    """Samples with their split into train, validation and test, and what is known of them.

    `sample_shape` is the shape of one sample as the net sees it; `sizes` counts the samples of each part; `notes` tells
    what was decided for the user (columns dropped, values imputed).
    """

    name: str
    sample_shape: tuple[int, ...]
    sizes: dict[str, int]
    target: Labels | Quantities
    encoder: Encoder
    notes: tuple[Fault, ...] = ()
    origin: Origin = field(default_factory=Origin)
    recipe: DataRecipe | None = None  # what loads it again; None where it was made of objects in memory

    @property
    def task(self) -> str:
        """Either "classification" or "regression"."""
        return "classification" if isinstance(self.target, Labels) else "regression"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes as spelled in the data, in the order of their indices; empty for regression."""
        return self.target.names if isinstance(self.target, Labels) else ()

    @property
    def outputs(self) -> int:
        """Number of classes, or of regression targets."""
        return self.target.outputs

    @property
    def target_mean(self) -> Tensor:
        """What a standardised target had subtracted: float64 [outputs]; 0 where nothing was done to it."""
        return torch.tensor(self._quantities().mean, dtype=torch.float64)

    @property
    def target_scale(self) -> Tensor:
        """What a standardised target was divided by: float64 [outputs]; 1 where nothing was done to it."""
        return torch.tensor(self._quantities().scale, dtype=torch.float64)

    @abstractmethod
    def batches(
        self,
        part: str,
        batch_size: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        start: int = 0,
        shuffle: bool = False,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches (x, y) of `part` in `epoch`, from batch number `start` on; the last one may be smaller.

        x is [B, *sample_shape] in `dtype`; y is int64 [B] for classification, `dtype` [B, outputs] for regression. With
        `shuffle` the order is `danlu.base.seeds.order(n, seed, epoch)`, whatever `start` is.
        """

    @abstractmethod
    def batch_count(self, part: str, batch_size: int) -> int:
        """How many batches `batches` yields from the start of an epoch."""

    @abstractmethod
    def fingerprint(self) -> str:
        """16 hex digits of the content and its split."""

    def facts(self) -> dict[str, Any]:
        """What `danlu data NAME` tells, as plain values that JSON can hold."""
        return {
            "name": self.name,
            "task": self.task,
            "sizes": dict(self.sizes),
            "sample_shape": list(self.sample_shape),
            "outputs": self.outputs,
            "title": self.origin.title,
            "licence": self.origin.licence,
            "source": self.origin.source,
            "path": self.origin.path,
            "notes": [str(note) for note in self.notes],
            **self.target.facts(),
            **self.encoder.facts(),
        }

    def encode(self, raw: Any) -> Tensor:
        """Raw samples, as the user has them, as what the net takes: float32 [N, *sample_shape]."""
        return self.encoder.encode(raw)

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        """Class indices [N] as labels in their original type; regression outputs [N, outputs] in the target's unit."""
        return self.target.decode(outputs)

    def _quantities(self) -> Quantities:
        assert isinstance(self.target, Quantities), "a classification target has no mean and scale"
        return self.target


def checksum(*tensors: Tensor) -> list[int]:
    """CRC-32 of each tensor's bytes: a few GB a second, which a cryptographic hash is not."""
    return [zlib.crc32(tensor.contiguous().flatten().view(torch.uint8).numpy().data) for tensor in tensors]


def digest(*facts: Any) -> str:
    """16 hex digits of plain facts."""
    return blake2b(json.dumps(facts, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
