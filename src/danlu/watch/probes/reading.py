"""Reading numbers out of tensors: many at once, for each single one makes a GPU wait and costs a call."""

# torch's functions over lists of tensors have no public name. They are what its own optimisers and its clipping call:
# one call for all the tensors of a net. In this file alone they are touched.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from collections.abc import Sequence

import torch

_HALF = (torch.float16, torch.bfloat16)


def norms(tensors: list[torch.Tensor], order: float = 2) -> list[torch.Tensor]:
    """The norm of each tensor; of order 0 it is the number of entries that are not 0.

    Those of half-precision tensors are float32, for the type of their entries may be too small for them.
    """
    if not any(one.dtype in _HALF for one in tensors):
        return list(torch._foreach_norm(tensors, order))
    wide = any(one.dtype is torch.float64 for one in tensors)
    return list(torch._foreach_norm(tensors, order, dtype=torch.float64 if wide else torch.float32))


def differences(now: list[torch.Tensor], before: list[torch.Tensor]) -> list[torch.Tensor]:
    """Tensor by tensor what was added."""
    return list(torch._foreach_sub(now, before))


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
