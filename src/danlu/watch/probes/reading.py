"""Reading numbers out of tensors: many at once, for each single one makes a GPU wait and costs a call."""

from collections.abc import Sequence

import torch


def read(numbers: Sequence[torch.Tensor]) -> list[float]:
    """The values of 0-d tensors of one device.

    >>> read([torch.tensor(1.5), torch.tensor(2)])
    [1.5, 2.0]
    """
    if not numbers:
        return []
    if any(number.dtype != numbers[0].dtype for number in numbers):
        numbers = [number.double() for number in numbers]
    return [float(number) for number in torch.stack(list(numbers)).tolist()]
