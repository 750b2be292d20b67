"""Answering many samples at once, or in portions where memory does not hold them all."""

import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from danlu.base.memory import is_out_of_memory


class InPortions:
    """Calls `forward` on samples [N, …]; where memory runs out on half of them at once, on a quarter, and so on.

    It is for nets in evaluation mode, which answer each sample for itself. What has fitted is remembered for the calls
    that follow. Where not even one sample fits, the error comes.

    >>> def forward(samples):
    ...     if len(samples) > 2:
    ...         raise MemoryError
    ...     return 2 * samples
    >>> InPortions(forward)(torch.arange(5))
    tensor([0, 2, 4, 6, 8])
    """

    def __init__(self, forward: Callable[[Tensor], Any]) -> None:
        self._forward = forward
        self._most: int | None = None

    def __call__(self, samples: Tensor) -> Any:
        while True:
            size = min(len(samples), self._most or len(samples))
            try:
                if size == len(samples):
                    return self._forward(samples)
                return torch.cat([self._forward(portion) for portion in samples.split(size)])
            except Exception as error:
                if not is_out_of_memory(error) or size <= 1:
                    raise
                traceback.clear_frames(error.__traceback__)
            self._most = size // 2
