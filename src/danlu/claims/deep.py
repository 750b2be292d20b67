"""Deep plain networks as they stand before any training: the gradient and the outputs of each layer on digits."""

import functools
import math

import torch
from torch import Tensor, nn

from danlu.base.seeds import global_seed
from danlu.data import load
from danlu.data.memory import MemoryDataset
from danlu.nets.mlp import MLP

WIDTH = 64
"""Of all hidden layers, as many as the digits have features: the matrices of all hidden layers have one shape."""
_BATCH = 256


@functools.cache
def digits_batch() -> tuple[Tensor, Tensor]:
    """Standardised digits [256, 64] of the training part, and their classes."""
    data = load("digits")
    assert isinstance(data, MemoryDataset)
    count = data.sizes["train"]
    x = data.x[:count].flatten(1).float()
    return ((x - x.mean()) / x.std())[:_BATCH], data.y[:_BATCH]


def deep_net(depth: int, activation: str, init: object, seed: int) -> MLP:
    """A plain net with `depth` hidden layers and the first weights of `seed`."""
    with global_seed(seed, "initial-weights"):
        return MLP(inputs=WIDTH, outputs=10, depth=depth, width=WIDTH, activation=activation, init=init)  # type: ignore[arg-type]


def gradient_norms(net: nn.Module) -> tuple[float, list[float]]:
    """The cross-entropy loss, and the norm of its gradient by the weights of each layer, from the bottom; not finite
    where numbers overflowed.

    >>> loss, norms = gradient_norms(deep_net(3, "tanh", "default", 0))
    >>> len(norms)
    4
    """
    x, y = digits_batch()
    weights = [weight for weight in net.parameters() if weight.dim() == 2]
    loss = nn.functional.cross_entropy(net(x), y)
    gradients = torch.autograd.grad(loss, weights)
    # In double precision: the square of a small gradient would be 0, that of a large one infinite.
    return float(loss.detach()), [float(gradient.double().norm()) for gradient in gradients]


def finite(values: list[float]) -> list[float | None]:
    """For a figure with a logarithmic axis: None for what it cannot show."""
    return [value if math.isfinite(value) and value > 0 else None for value in values]


def geometric_means(rows: list[list[float]]) -> list[float]:
    """Of each column."""
    logs = ([math.log(max(value, 1e-300)) for value in column] for column in zip(*rows, strict=True))
    return [math.exp(sum(column) / len(column)) for column in logs]
