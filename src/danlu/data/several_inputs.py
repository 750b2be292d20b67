"""Samples of several inputs: packed into one row of numbers each, which the net's own forward gets apart again."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.input_layout import InputLayout, Kind, Piece
from danlu.data.arrays import array_dataset, array_target
from danlu.data.dataset import Encoder, RawSamples
from danlu.data.memory import MemoryDataset
from danlu.data.options import Options
from danlu.data.samples import kind_of, to_tensor, unfit
from danlu.data.several_encoder import SeveralInputs, input_array, inputs_by_name, inputs_of, packed
from danlu.data.standard import Standard
from danlu.data.table.frames import is_frame


def are_several(x: Any, y: Any) -> bool:
    """Whether `x` is several inputs of N samples: a dict of arrays or data frames, or a tuple of such that are not
    themselves the N samples of `y`.
    """
    if isinstance(x, Mapping):
        return True
    if not isinstance(x, tuple) or len(cast(tuple[Any, ...], x)) < 2:
        return False
    if not all(is_frame(one) or (isinstance(one, numpy.ndarray | Tensor) and one.ndim) for one in cast(Any, x)):
        return False
    return not hasattr(y, "__len__") or len(x) != len(y)


def several_dataset(name: str, pools: Mapping[str, tuple[Any, Any]], options: Options) -> MemoryDataset:
    """A data set of (x, y) pools, where every x is several inputs. Floats with one number or one row of numbers a
    sample are standardised, column by column; whole numbers stay whole, and go to the net as int64.
    """
    for x, y in pools.values():
        if not are_several(x, y):
            fail("data.inputs-in-one-part")
    layout = _layout_of_arrays(pools["train"][0])
    rows = {part: (packed(x, layout), y) for part, (x, y) in pools.items()}
    made = array_dataset(name, rows, options, _standardised(layout))
    assert isinstance(made.encoder, Standard)
    described = zlib.crc32(repr(layout).encode())
    content = (*(made.content or (0,)), described)
    return replace(made, encoder=SeveralInputs(layout, replace(made.encoder, ranges=None)), content=content)


def raw_several(pools: Mapping[str, tuple[Any, Any]], numbers: list[int], encoder: Encoder) -> RawSamples:
    """Samples of the several inputs that were given for each part, by the names of the inputs."""
    assert isinstance(encoder, SeveralInputs)
    whole = [inputs_of(x, encoder.layout) for x, _ in pools.values()]
    told = numpy.concatenate([array_target(y) for _, y in pools.values()])[numbers].tolist()
    joined = {name: torch.cat([inputs[name] for inputs in whole]) for name in encoder.layout.names}
    return RawSamples("several", {name: array[numbers].numpy() for name, array in joined.items()}, told)


def piece_of(name: str, sample: Tensor) -> Piece:
    """What an input is, by one of its samples."""
    shape, kind = tuple(sample.shape), cast(Kind, "numbers")
    if sample.dtype == torch.uint8 and len(shape) > 1:
        kind = "bytes"
    elif sample.dtype == torch.bool:
        kind = "flags"
    elif not sample.is_floating_point():
        kind = "whole"
    return Piece(name, shape, kind)


def _layout_of_arrays(x: Any) -> InputLayout:
    inputs = inputs_by_name(x)
    if not inputs:
        fail("data.no-samples")
    pieces: list[Piece] = []
    for name, given in inputs.items():
        array = input_array(name, given)
        if not len(array) or not array.numel():
            fail("data.no-samples")
        pieces.append(piece_of(name, array[0]))
    return InputLayout(tuple(pieces), named=isinstance(x, Mapping))


def _standardised(layout: InputLayout) -> Tensor:
    """Which columns of a row are standardised: those of plain numbers and of rows of such, bool [width]."""
    wanted = [piece.kind == "numbers" and len(piece.shape) < 2 for piece in layout.pieces]
    return torch.tensor([yes for piece, yes in zip(layout.pieces, wanted, strict=True) for _ in range(piece.size)])


def input_tensor(name: str, value: Any) -> Tensor:
    """One input, of a sample or of a batch, as a tensor. UserError for what is neither numbers nor an image."""
    if isinstance(value, bool | int | float | numpy.bool_ | numpy.number):
        return torch.tensor(value.item() if isinstance(value, numpy.generic) else value)
    tensor = to_tensor(value)
    if tensor is None or unfit(tensor):
        fail("data.input-bad", name=name, found=kind_of(value))
    return tensor
