"""The engine of a net with a memory, which goes on from batch to batch: see `danlu.train.carried`."""

from collections.abc import Iterable
from typing import Any

import torch

from danlu.train.carried import Carried, each_tensor
from danlu.train.engine import Batch
from danlu.train.module_engine import ModuleEngine


class CarriedEngine(ModuleEngine):
    """For a net with a memory: it is empty at an epoch's start, and part of what a checkpoint holds."""

    def __init__(self, *arguments: Any, keeps: bool) -> None:
        super().__init__(*arguments)
        self._device: torch.device = arguments[-1]
        self._carried = Carried(self.net, keeps=keeps)

    def start_epoch(self, epoch: int, batch: int) -> None:
        super().start_epoch(epoch, batch)
        if not batch:
            self._carried.state = None

    def parts(self, batch: Batch) -> Iterable[Batch]:
        return (batch,)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        with self._autocast:
            return self._carried(inputs)

    def tensors(self) -> dict[str, Any]:
        return {**super().tensors(), "memory": self._carried.state}

    def load_tensors(self, parts: dict[str, Any]) -> None:
        super().load_tensors(parts)
        self._carried.state = each_tensor(parts["memory"], lambda tensor: tensor.to(self._device))
