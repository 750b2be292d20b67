"""Data of which only what a run kept of them is at hand: their facts, and no samples."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor

from danlu.base.errors import UserError
from danlu.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True, eq=False)
class PackagedDataset(Dataset):
    """A data set without samples: whoever asks for them gets `reason`, the UserError that says why there are none."""

    reason: UserError
    recorded: str  # the fingerprint of the data when they were trained on

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
        self.refuse()

    def batch_count(self, part: str, batch_size: int) -> int:
        return -(-self.sizes[part] // batch_size)

    def fingerprint(self) -> str:
        return self.recorded

    def folds(self, count: int, *, repeats: int = 1, seed: int = 0) -> Iterator[Dataset]:
        self.refuse()

    def refit(self) -> Dataset:
        self.refuse()

    def refuse(self) -> NoReturn:
        raise UserError(*self.reason.faults) from self.reason
