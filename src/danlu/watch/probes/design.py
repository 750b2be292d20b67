"""What modules say of the design of a net: which dimension is that of the samples, and whether these see each other."""

import torch
from torch import nn

from danlu.watch.trying import ModuleCall

ORDERED = (nn.RNNBase, nn.MultiheadAttention)
"""Layers that are told which dimension is that of the samples."""


def is_batch_second(module: nn.Module) -> bool:
    """Whether a layer takes the samples along the second dimension."""
    return isinstance(module, ORDERED) and not module.batch_first


def shares_by_design(call: ModuleCall, modules: list[nn.Module], samples: int) -> bool:
    """Whether samples are meant to see each other: neighbours in a graph, statistics of the batch."""
    tensors = [*call.tensors, *call.module.buffers()]
    tensors += [value for one in modules for value in vars(one).values() if isinstance(value, torch.Tensor)]
    if any(
        tuple(one.shape) == (samples, samples)
        or (one.dim() == 2 and len(one) == 2 < samples and not one.dtype.is_floating_point)
        for one in tensors
    ):
        return True
    return any(
        getattr(one, "track_running_stats", True) is False and "BatchNorm" in type(one).__name__ for one in modules
    )
