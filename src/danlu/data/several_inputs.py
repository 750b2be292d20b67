"""Samples of several inputs: packed into one row of numbers each, which the net's own forward gets apart again."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.input_layout import InputLayout, Kind, Piece
from danlu.data.arrays import EXACT_32, array_dataset, array_target
from danlu.data.dataset import Encoder, RawSamples
from danlu.data.layout import as_tensor
from danlu.data.memory import MemoryDataset
from danlu.data.options import Options
from danlu.data.samples import finite, kind_of, to_tensor, unfit
from danlu.data.standard import Standard
from danlu.data.table.frames import is_frame


@dataclass(frozen=True)
class SeveralInputs:
    """Samples of several inputs to rows [N, width]; the columns of plain numbers are standardised as `standard` says.

    >>> layout = InputLayout((Piece("a", (2,), "numbers"), Piece("b", (), "whole")), named=True)
    >>> SeveralInputs(layout, Standard((3,))).encode({"a": [[0.5, 1.5]], "b": [7]}).tolist()
    [[0.5, 1.5, 7.0]]
    """

    layout: InputLayout
    standard: Standard

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (self.layout.width,)

    def encode(self, raw: Any) -> Tensor:
        """Raw samples (a dict of arrays by the inputs' names, or a tuple of arrays in their order), float32 [N, width].
        UserError for inputs that are missing, or of another form.
        """
        return self.standard.encode(packed(raw, self.layout))

    def facts(self) -> dict[str, Any]:
        return {"inputs": {piece.name: list(piece.shape) for piece in self.layout.pieces}}


def layout_of(encoder: Encoder) -> InputLayout | None:
    """The layout of the inputs where there are several; None where there is one."""
    return encoder.layout if isinstance(encoder, SeveralInputs) else None


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
    whole = [_inputs_of(x, encoder.layout) for x, _ in pools.values()]
    told = numpy.concatenate([array_target(y) for _, y in pools.values()])[numbers].tolist()
    joined = {name: torch.cat([inputs[name] for inputs in whole]) for name in encoder.layout.names}
    return RawSamples("several", {name: array[numbers].numpy() for name, array in joined.items()}, told)


def packed(raw: Any, layout: InputLayout) -> Tensor:
    """N samples of several inputs as rows [N, width]: float64 where a float64 is among them, else float32."""
    inputs = _inputs_of(raw, layout)
    count = {name: len(one) for name, one in inputs.items()}
    if len(set(count.values())) > 1:
        told = ", ".join(f"{name}: {number}" for name, number in count.items())
        fail("data.inputs-differ", found=told)
    rows = [_columns(inputs[piece.name], piece) for piece in layout.pieces]
    return torch.cat(rows, 1)


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


def inputs_by_name(x: Any) -> dict[str, Any]:
    """The inputs by name; those of a tuple are called by their places, from 0."""
    if isinstance(x, Mapping):
        return {str(name): one for name, one in cast(Mapping[Any, Any], x).items()}
    return {str(number): one for number, one in enumerate(cast(Sequence[Any], x))}


def _layout_of_arrays(x: Any) -> InputLayout:
    inputs = inputs_by_name(x)
    if not inputs:
        fail("data.no-samples")
    pieces: list[Piece] = []
    for name, given in inputs.items():
        array = _array(name, given)
        if not len(array) or not array.numel():
            fail("data.no-samples")
        pieces.append(piece_of(name, array[0]))
    return InputLayout(tuple(pieces), named=isinstance(x, Mapping))


def _inputs_of(raw: Any, layout: InputLayout) -> dict[str, Tensor]:
    """The arrays by the layout's names. UserError where they are not those of the layout."""
    if not isinstance(raw, Mapping | tuple | list):
        fail("data.inputs-wanted", found=type(raw).__name__, names=", ".join(layout.names))
    given = inputs_by_name(raw)
    if set(given) != set(layout.names):
        fail("data.inputs-other", found=", ".join(given) or "–", names=", ".join(layout.names))
    return {name: _array(name, given[name]) for name in layout.names}


def _array(name: str, given: Any) -> Tensor:
    if is_frame(given):
        given = given.to_numpy()
    array = as_tensor(given)
    if array.dim() == 0:
        fail("data.input-no-array", name=name)
    return array


def _columns(array: Tensor, piece: Piece) -> Tensor:
    """The numbers of an input, [N, size]."""
    if tuple(array.shape[1:]) != piece.shape:
        found, wanted = list(array.shape[1:]), list(piece.shape)
        fail("data.input-shape", name=piece.name, found=found, wanted=wanted)
    if piece.kind != "numbers" and array.is_floating_point() and not bool((array == array.round()).all()):
        fail("data.input-not-whole", name=piece.name)
    if not finite(array):
        fail("data.input-not-finite", name=piece.name)
    if array.dtype in (torch.int32, torch.int64) and bool((array.to(torch.int64).abs() > EXACT_32).any()):
        fail("data.input-too-large", name=piece.name, most=f"{EXACT_32:,}")
    kind = torch.float64 if array.dtype == torch.float64 else torch.float32
    numbers = array.reshape(len(array), piece.size).to(kind)
    return numbers / 255 if piece.kind == "bytes" else numbers


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
