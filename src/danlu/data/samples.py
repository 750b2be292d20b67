"""Samples as a torch Dataset gives them: put together to a batch, or told what keeps them from being (x, y)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy
import torch
from torch import Tensor
from torch.utils.data import default_collate

from danlu.base.errors import Fault, UserError
from danlu.data.layout import CHANNELS


@dataclass(frozen=True)
class BadBatch:
    """What a worker hands over instead of a batch: an error that crossed a process would have lost its form."""

    fault: Fault


def refuse_bad(batch: Any) -> Any:
    """The batch, unless it is an error in its place."""
    if isinstance(batch, BadBatch):
        raise UserError(batch.fault)
    return batch


def collate_samples(samples: list[Any]) -> Any:
    """Samples (x, y) as (x [B, ...], y [B, ...]); images become uint8 [B, C, H, W]."""
    for sample in samples:
        if fault := not_a_pair(sample):
            return BadBatch(fault)
    try:
        x = [to_tensor(x) for x, _ in samples]
    except (TypeError, ValueError):
        return BadBatch(Fault("data.sample-not-tensor", {"found": what_it_is(samples[0][0])}))
    shapes = list(dict.fromkeys(tuple(sample.shape) for sample in x))
    if len(shapes) > 1:
        return BadBatch(Fault("data.shapes-differ", {"first": list(shapes[0]), "other": list(shapes[1])}))
    try:
        y = default_collate([y for _, y in samples])
    except (TypeError, ValueError, RuntimeError):
        y = None
    if not isinstance(y, Tensor | list) or any(not isinstance(one, str) for one in (y if isinstance(y, list) else ())):
        return BadBatch(Fault("data.target-not-tensor", {"found": what_it_is(samples[0][1])}))
    return torch.stack(x), y


def not_a_pair(sample: Any) -> Fault | None:
    """What keeps a sample, or a batch, from being a pair (x, y) with one x."""
    if not isinstance(sample, tuple | list) or len(cast(list[Any], sample)) != 2:
        return Fault("data.not-a-pair", {"found": what_it_is(sample)})
    x = cast(list[Any], sample)[0]
    if isinstance(x, Mapping | tuple | list) and not _numbers(x):
        return Fault("data.several-inputs", {"found": what_it_is(x)})
    return None


def what_it_is(value: Any) -> str:
    """The type of a value, with the keys of a dict and the length of a tuple or list.

    >>> what_it_is({"image": 1, "label": 2}), what_it_is((1, 2, 3)), what_it_is(None)
    ("dict ('image', 'label')", 'tuple (3)', 'NoneType')
    """
    kind = type(value).__name__
    if isinstance(value, Mapping):
        return f"{kind} ({', '.join(map(repr, cast(Mapping[Any, Any], value)))})"
    return f"{kind} ({len(cast(list[Any], value))})" if isinstance(value, tuple | list) else kind


def _numbers(x: Any) -> bool:
    """Whether a sample that is a sequence holds plain numbers, in as many dimensions as it likes."""
    return isinstance(x, tuple | list) and all(
        isinstance(one, int | float) or _numbers(one) for one in cast(list[Any], x)
    )


def to_tensor(x: Any) -> Tensor:
    """One sample as a tensor; a picture (Pillow's, or a uint8 array with its channels last) with its channels first."""
    if isinstance(x, Tensor):
        return x
    array = numpy.array(x)
    is_picture = hasattr(x, "getbands")
    if is_picture and array.dtype == numpy.bool_:
        array = array.astype(numpy.uint8) * 255
    if array.dtype == numpy.uint8 and (is_picture or isinstance(x, numpy.ndarray)):
        if array.ndim == 2:
            array = array[None]
        elif is_picture or (array.ndim == 3 and array.shape[2] in CHANNELS and array.shape[0] not in CHANNELS):
            array = array.transpose(2, 0, 1)
    return torch.from_numpy(numpy.ascontiguousarray(array))
