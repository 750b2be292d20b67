"""A net with a memory, called batch after batch: its state goes on, the gradient's way back ends at each batch.

That is truncated back-propagation through time (Williams and Peng 1990, https://doi.org/10.1162/neco.1990.2.4.490).
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from danlu.train.step import Batch, PlainStep


class Carried:
    """Calls `net` and hands its state on: a net that returns (outputs, state) is called with that state the next time.

    A net that returns outputs alone has no memory and is called as it is; so is any where `keeps` is False, for batches
    that do not go on from each other.

    >>> net = Carried(nn.RNN(3, 4))
    >>> net(torch.ones(5, 2, 3)).shape, net.state.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, net: nn.Module, *, keeps: bool = True) -> None:
        self._net = net
        self._keeps = keeps
        self.state: Any = None

    def __call__(self, inputs: torch.Tensor) -> Any:
        outputs = self._net(inputs) if self.state is None else self._net(inputs, self.state)
        if not isinstance(outputs, tuple):
            return outputs
        outputs, state = outputs
        self.state = _detached(state) if self._keeps else None
        return outputs


class CarriedStep(PlainStep):
    """The step of a net with a memory: it is empty at an epoch's start, and part of what a checkpoint holds."""

    def __init__(self, *arguments: Any, keeps: bool) -> None:
        super().__init__(*arguments)
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
        self._carried.state = parts["memory"]


def _detached(state: Any) -> Any:
    return state.detach() if isinstance(state, torch.Tensor) else tuple(_detached(part) for part in state)
