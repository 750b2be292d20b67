"""How many members a stack should have: as many as memory holds, and on a CPU as many as its cache does."""

import torch
from torch import Tensor, nn

from danlu.base.seeds import free_memory
from danlu.train.kept_bytes import kept_bytes

# Of the numbers a step touches again and again (weights, their momentum, activations) so many bytes should stay in the
# cache that the cores share: beyond that LeNet-5 and perceptrons alike became slower by member.
_CACHE_BYTES = 16 * 2**20
_STATES = 4  # weights, gradient, and what an optimiser keeps, in units of the weights
_MEMORY_SHARE = 0.5


def suggested_members(
    net: nn.Module, sample: Tensor, batch_size: int, device: torch.device, workers: int, room: int | None = None
) -> int:
    """The most members of a stack of copies of `net`, `workers` stacks being trained at once; at least one.

    `sample` [N, …] are a few inputs; `room` bytes are free for a stack, None: its share of what is free here.

    >>> suggested_members(nn.Linear(1000, 1000), torch.zeros(2, 1000), 32, torch.device("cpu"), 1)
    1
    """
    weights = sum(tensor.nbytes for tensor in (*net.parameters(), *net.buffers()))
    member = weights * _STATES + kept_bytes(net, sample) * batch_size
    free = free_memory(device) / workers if room is None else room
    most = free * _MEMORY_SHARE
    if device.type == "cpu":
        most = min(most, _CACHE_BYTES)
    return max(1, int(most // max(1, member)))
