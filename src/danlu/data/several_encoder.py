"""What packs samples of several inputs into one row of numbers each; see `danlu.data.several_inputs`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.input_layout import InputLayout, Piece
from danlu.data.dataset import Encoder
from danlu.data.layout import as_tensor
from danlu.data.samples import EXACT_32, finite
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


def packed(raw: Any, layout: InputLayout) -> Tensor:
    """N samples of several inputs as rows [N, width]: float64 where a float64 is among them, else float32."""
    inputs = inputs_of(raw, layout)
    count = {name: len(one) for name, one in inputs.items()}
    if len(set(count.values())) > 1:
        told = ", ".join(f"{name}: {number}" for name, number in count.items())
        fail("data.inputs-differ", found=told)
    rows = [_columns(inputs[piece.name], piece) for piece in layout.pieces]
    return torch.cat(rows, 1)


def inputs_by_name(x: Any) -> dict[str, Any]:
    """The inputs by name; those of a tuple are called by their places, from 0."""
    if isinstance(x, Mapping):
        return {str(name): one for name, one in cast(Mapping[Any, Any], x).items()}
    return {str(number): one for number, one in enumerate(cast(Sequence[Any], x))}


def inputs_of(raw: Any, layout: InputLayout) -> dict[str, Tensor]:
    """The arrays by the layout's names. UserError where they are not those of the layout."""
    if not isinstance(raw, Mapping | tuple | list):
        fail("data.inputs-wanted", found=type(raw).__name__, names=", ".join(layout.names))
    given = inputs_by_name(raw)
    if set(given) != set(layout.names):
        fail("data.inputs-other", found=", ".join(given) or "–", names=", ".join(layout.names))
    return {name: input_array(name, given[name]) for name in layout.names}


def input_array(name: str, given: Any) -> Tensor:
    """One input of N samples as a tensor. UserError where it is a single number."""
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
