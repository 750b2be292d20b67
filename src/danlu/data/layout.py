"""Raw arrays as tensors, and images with their channels first."""

from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail

CHANNELS = (1, 3, 4)


def as_tensor(raw: Any) -> Tensor:
    """Whatever numpy can read (arrays, lists, pictures) as a tensor on the CPU, sharing memory where possible."""
    refuse_unreadable(raw, "x")
    if isinstance(raw, Tensor):
        if raw.is_complex():
            fail("data.not-numbers", found=str(raw.dtype).removeprefix("torch."))
        return raw.detach().cpu()
    try:
        array = numpy.asarray(raw)
    except ValueError:
        fail("data.ragged-array")
    if array.dtype.kind not in "biuf":
        fail("data.not-numbers", found=array.dtype)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        # Beyond what int64 holds the numbers are refused anyway, as floats cannot hold them either.
        array = array.clip(max=numpy.iinfo(numpy.int64).max).astype(numpy.int64)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(numpy.float64)
    if not array.flags.writeable or not array.dtype.isnative or min(array.strides, default=0) < 0:
        array = array.astype(array.dtype.newbyteorder("="))
    return torch.from_numpy(array)


def refuse_unreadable(raw: Any, name: str) -> None:
    """UserError for masked values, and for tensors and arrays whose numbers do not lie in memory as they are."""
    if isinstance(raw, numpy.ma.MaskedArray) and (mask := numpy.ma.getmaskarray(raw)).any():
        rows = mask.reshape(len(mask), -1).any(axis=1) if mask.ndim else mask.reshape(1)
        fail("data.masked", name=name, count=int(mask.sum()), row=int(rows.argmax()) + 1)
    if hasattr(raw, "toarray") and hasattr(raw, "nnz"):
        fail("data.tensor-kind", kind="sparse", remedy="x.toarray()")
    if not isinstance(raw, Tensor):
        return
    if raw.is_meta:
        fail("data.tensor-kind", kind="meta", remedy="a tensor with data")
    if raw.is_quantized:
        fail("data.tensor-kind", kind="quantized", remedy="x.dequantize()")
    if raw.is_nested:
        fail("data.tensor-kind", kind="nested", remedy="torch.nested.to_padded_tensor(x, 0.0)")
    if raw.layout != torch.strided:
        fail("data.tensor-kind", kind="sparse", remedy="x.to_dense()")


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
