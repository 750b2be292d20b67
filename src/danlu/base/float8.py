"""Floats of eight bits, which hold numbers and can hardly be computed with."""

from torch import Tensor


def widened(tensor: Tensor) -> Tensor:
    """The same numbers as float32, where a tensor holds floats of eight bits; any other tensor as it is.

    >>> import torch
    >>> widened(torch.ones(2).to(torch.float8_e4m3fn)).dtype, widened(torch.ones(2).half()).dtype
    (torch.float32, torch.float16)
    """
    return tensor.float() if tensor.is_floating_point() and tensor.dtype.itemsize == 1 else tensor
