"""Raw arrays as tensors, and images with their channels first."""

from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail

CHANNELS = (1, 3, 4)


def as_tensor(raw: Any) -> Tensor:
    """Whatever numpy can read (arrays, lists, pictures) as a tensor on the CPU, sharing memory where possible."""
    if isinstance(raw, Tensor):
        return raw.detach().cpu()
    try:
        array = numpy.asarray(raw)
    except ValueError:
        fail("data.ragged-array")
    if array.dtype.kind not in "biuf":
        fail("data.not-numbers", found=array.dtype)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(numpy.int64)
    if not array.flags.writeable or not array.dtype.isnative or min(array.strides, default=0) < 0:
        array = array.astype(array.dtype.newbyteorder("="))
    return torch.from_numpy(array)


def channels_first(images: Tensor) -> Tensor | None:
    """uint8 images [N, H, W], [N, C, H, W] or [N, H, W, C] as [N, C, H, W]; None when they are none of these.

    >>> channels_first(torch.zeros(5, 32, 32, 3, dtype=torch.uint8)).shape
    torch.Size([5, 3, 32, 32])
    """
    if images.dim() == 3:
        return images.unsqueeze(1)
    if images.dim() == 4 and images.shape[1] in CHANNELS:
        return images
    if images.dim() == 4 and images.shape[3] in CHANNELS:
        return images.permute(0, 3, 1, 2)
    return None
