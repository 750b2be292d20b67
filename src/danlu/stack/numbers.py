"""Settings of the members: one number where all agree, else a tensor [K]."""

from collections.abc import Sequence

import torch
from torch import Tensor

Number = float | Tensor


def numbers(values: Sequence[float], device: torch.device, dtype: torch.dtype) -> Number:
    """The one value of all members, or float [K].

    >>> numbers([0.9, 0.9], torch.device("cpu"), torch.float32)
    0.9
    """
    if len(set(values)) == 1:
        return float(values[0])
    return torch.tensor(values, device=device, dtype=dtype)


def beside(number: Number, tensor: Tensor) -> Number:
    """`number` in a shape that fits `tensor` [K, …] element by element."""
    return number.view(-1, *[1] * (tensor.dim() - 1)) if isinstance(number, Tensor) else number


def picked(number: Number, keep: Tensor) -> Number:
    """The setting of the members `keep`."""
    return number.index_select(0, keep) if isinstance(number, Tensor) else number


def all_are(number: Number, value: float) -> bool:
    """Whether every member's setting is `value`.

    >>> all_are(0.0, 0), all_are(torch.tensor([0.0, 0.1]), 0)
    (True, False)
    """
    return not isinstance(number, Tensor) and number == value


def add_scaled(tensor: Tensor, other: Tensor, factor: Number) -> None:
    """tensor += factor · other, the factor in a shape that fits."""
    if isinstance(factor, Tensor):
        tensor.addcmul_(other, factor)
    else:
        tensor.add_(other, alpha=factor)
