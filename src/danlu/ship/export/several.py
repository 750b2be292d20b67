"""Samples of several inputs as the arrays that an exported file takes, checked as a run checks them, without torch."""

from collections.abc import Mapping
from typing import Any

import numpy

from danlu.base.errors import fail
from danlu.base.input_layout import Piece
from danlu.data.table.frames import is_frame
from danlu.ship.export.interface import Interface

Array = numpy.ndarray[Any, Any]
_MOST_WHOLE = 2**24
"""Whole numbers beyond this are not all floats of 32 bits, which a run makes of them."""


def several_arrays(raw: Any, interface: Interface) -> dict[str, Array]:
    """The arrays [N, …] by the names of the file's inputs, for a dict of arrays by the names of the net's, or a tuple
    of them in their order. UserError where they are not those that the net was trained on.
    """
    layout = interface.layout
    if not isinstance(raw, Mapping | tuple | list):
        fail("data.inputs-wanted", found=type(raw).__name__, names=", ".join(layout.names))
    by_place = enumerate(raw) if not isinstance(raw, Mapping) else raw.items()
    given = {str(name): one for name, one in by_place}
    if set(given) != set(layout.names):
        fail("data.inputs-other", found=", ".join(given) or "–", names=", ".join(layout.names))
    arrays = {piece.name: _array(given[piece.name], piece) for piece in layout.pieces}
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        fail("data.inputs-differ", found=", ".join(f"{name}: {count}" for name, count in counts.items()))
    pairs = zip(interface.inputs, layout.pieces, strict=True)
    return {one.name: arrays[piece.name].astype(one.dtype) for one, piece in pairs}


def _array(given: Any, piece: Piece) -> Array:
    """The numbers of one input, [N, …]."""
    if is_frame(given):
        given = given.to_numpy()
    try:
        array = numpy.asarray(given)
    except ValueError:
        fail("data.ragged-array")
    if array.dtype.kind not in "biuf":
        fail("data.not-numbers", found=array.dtype)
    if array.ndim == 0:
        fail("data.input-no-array", name=piece.name)
    if array.shape[1:] != piece.shape:
        fail("data.input-shape", name=piece.name, found=list(array.shape[1:]), wanted=list(piece.shape))
    whole = array.dtype.kind != "f"
    if piece.kind != "numbers" and not whole and not (array == array.round()).all():
        fail("data.input-not-whole", name=piece.name)
    if not whole and not numpy.isfinite(array).all():
        fail("data.input-not-finite", name=piece.name)
    if array.dtype.kind in "iu" and numpy.abs(array.astype(numpy.float64)).max(initial=0) > _MOST_WHOLE:
        fail("data.input-too-large", name=piece.name, most=f"{_MOST_WHOLE:,}")
    if piece.kind == "bytes" and array.size and not 0 <= array.min() <= array.max() <= 255:
        fail("export.not-bytes", low=f"{array.min():.4g}", high=f"{array.max():.4g}")
    return array > 0 if piece.kind == "flags" else array
