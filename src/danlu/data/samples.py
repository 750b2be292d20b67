"""One sample (x, y) of a user's own dataset: read, checked and brought to tensors, or told what is wrong with it."""

from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault
from danlu.base.float8 import widened
from danlu.data.layout import CHANNELS

EXACT_32 = 2**24
"""The whole numbers up to here have a float32 each."""


def checked_sample(sample: Any, index: int) -> "tuple[Tensor, Any] | Fault":
    """The sample with x as a tensor, or a fault that names `index`."""
    if not (isinstance(sample, tuple | list) and len(sample) == 2):
        return Fault("data.not-a-pair", {"found": kind_of(sample)})
    x = to_tensor(sample[0])
    if not isinstance(x, Tensor) or unfit(x):
        return Fault("data.bad-sample", {"index": index, "found": kind_of(sample[0])})
    if not finite(x):
        return Fault("data.sample-not-finite", {"index": index})
    y = sample[1]
    if not _is_target(y):
        return Fault("data.bad-target", {"index": index, "found": kind_of(y)})
    if not finite(y):
        return Fault("data.target-not-finite", {"index": index})
    return x, torch.tensor(y) if isinstance(y, list | tuple) else y


def to_tensor(x: Any) -> "Tensor | None":
    """One sample as a tensor; a picture (Pillow's, or a uint8 array with its channels last) with its channels first.
    None for what is neither numbers nor a picture.
    """
    if isinstance(x, Tensor):
        return widened(x.detach())
    try:
        array = numpy.array(x)
    except (ValueError, TypeError):  # rows of different length
        return None
    if array.dtype.kind not in "biuf":
        return None
    is_picture = hasattr(x, "getbands")
    if is_picture and array.dtype == numpy.bool_:
        array = array.astype(numpy.uint8) * 255
    if array.dtype == numpy.uint8 and (is_picture or isinstance(x, numpy.ndarray)):
        if array.ndim == 2:
            array = array[None]
        elif is_picture or (array.ndim == 3 and array.shape[2] in CHANNELS and array.shape[0] not in CHANNELS):
            array = array.transpose(2, 0, 1)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(numpy.int64)
    if array.dtype == numpy.longdouble:
        array = array.astype(numpy.float64)
    return torch.from_numpy(numpy.ascontiguousarray(array))


def unfit(x: Tensor) -> bool:
    """Whether x is no plain tensor of real numbers: sparse, quantised, nested, complex, or without any values."""
    return x.layout is not torch.strided or x.is_quantized or x.is_nested or x.is_complex() or x.is_meta


def finite(values: Any) -> bool:
    """Whether no number in `values` is NaN or infinite; True for what holds no floating-point numbers.

    >>> finite(torch.tensor([1.0, float("nan")])), finite("text")
    (False, True)
    """
    if isinstance(values, Tensor):
        return not values.is_floating_point() or bool(values.isfinite().all())
    if isinstance(values, float | numpy.floating):
        return bool(numpy.isfinite(values))
    if isinstance(values, numpy.ndarray):
        return values.dtype.kind != "f" or bool(numpy.isfinite(values).all())
    return not isinstance(values, list | tuple) or all(finite(value) for value in values)


def kind_of(value: Any) -> str:
    """What a value is, in a word or two of code.

    >>> kind_of({}), kind_of(torch.zeros(2, 3)), kind_of((1, 2, 3))
    ('dict', 'torch.float32 [2, 3]', 'tuple (3)')
    """
    if isinstance(value, Tensor):
        layout = "" if value.layout is torch.strided else f"{value.layout} "
        return f"{layout}{value.dtype} {list(value.shape)}{' (meta)' if value.is_meta else ''}"
    if isinstance(value, numpy.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return f"{type(value).__name__} ({len(value)})" if isinstance(value, tuple | list) else type(value).__name__


def _is_target(y: Any) -> bool:
    if isinstance(y, Tensor):
        return not unfit(y)
    if isinstance(y, numpy.ndarray):
        return y.dtype.kind in "biufU"
    if isinstance(y, list | tuple):
        return len(y) > 0 and all(isinstance(value, int | float | numpy.number) for value in y)
    return isinstance(y, str | bool | int | float | numpy.number | numpy.bool_)
