"""How much memory a forward pass keeps for the backward pass."""

import copy

import torch
from torch import Tensor, nn

from danlu.base.seeds import preserved_randomness


def kept_bytes(net: nn.Module, samples: Tensor) -> float:
    """Bytes a sample that a forward pass of `net` in training mode keeps for the backward pass, measured on a copy.

    >>> kept_bytes(nn.Sequential(nn.Linear(2, 3), nn.Tanh()), torch.zeros(4, 2))  # the tanh's own output, and the input
    20.0
    """
    net = copy.deepcopy(net).train()
    own = {parameter.untyped_storage().data_ptr() for parameter in net.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with preserved_randomness(), torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda kept: kept):
        outputs = net(samples)
        del outputs
    return sum(kept.values()) / len(samples)
