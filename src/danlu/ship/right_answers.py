"""What a file or a caller says would have been right, as the net is trained on it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.data.label_cells import labels_in, switched
from danlu.data.label_sets import LabelSets
from danlu.data.place_labels import PixelLabels, TokenLabels, without_channel
from danlu.data.preprocessing import Preprocessing
from danlu.data.table.columns import Column, Sheet
from danlu.data.table.infer import cells_as_numbers
from danlu.data.targets import Labels, Quantities
from danlu.data.text.encoders import pad_tags
from danlu.data.transforms.pictures import nearest
from danlu.ship.portions import answer_column, class_folders, spelled


def answer_columns(sheet: Sheet, target: str | tuple[str, ...] | None, fitted: Preprocessing) -> tuple[str, ...]:
    """The columns of a table that hold the right answers; none where one of them is missing."""
    names = fitted.targets
    if names:
        return names if all(name in sheet.columns for name in names) else ()
    known = {column.name for column in getattr(fitted.encoder, "columns", ())}
    alone = target[0] if isinstance(target, tuple) else target
    found = answer_column(sheet, alone, known)
    return () if found is None else (found,)


def column_targets(table: Mapping[str, Column], names: Sequence[str], fitted: Preprocessing) -> Tensor:
    """The right answers in some columns as the net is trained on them: see `targets_of`."""
    columns = [_values(table[name], fitted) for name in names]
    return targets_of(columns[0] if len(columns) == 1 else numpy.stack(columns, axis=1), fitted)


def folder_targets(places: Sequence[str], fitted: Preprocessing) -> Tensor | None:
    """The right answers for pictures that lie in folders of a class each, at these places below the folder that was
    named; None where no folder is called as a class is.
    """
    if not isinstance(fitted.target, Labels):
        return None
    found = class_folders(places, fitted.target.values)
    return None if found is None else targets_of(numpy.array(found, dtype=object), fitted)


def _values(column: Column, fitted: Preprocessing) -> "numpy.ndarray[Any, Any]":
    text = column.kind in ("text", "other")
    values = column.values if text else column.values + column.offset
    if isinstance(fitted.target, LabelSets) and fitted.target.in_columns:
        return _switches(values.tolist())
    if text and isinstance(fitted.target, Quantities):
        numbers, offset, _ = cells_as_numbers(values.tolist(), "number", "")
        return numbers + offset
    return values


def _switches(values: Sequence[Any]) -> "numpy.ndarray[Any, Any]":
    """On and off as 1 and 0, NaN for what says neither."""
    found = [None if value is None or value != value else switched([value]) for value in values]
    return numpy.array([math.nan if one is None else one[0] for one in found])


def targets_of(values: "numpy.ndarray[Any, Any]", fitted: Preprocessing) -> Tensor:
    """Right answers, in the data's own words and units, as the net is trained on them: int64 [N], or float64 [N, T] of
    numbers and of labels; -1, or NaN, where there is none or one that it never met. Masks are int64 [N, H, W], below 0
    there.
    """
    if isinstance(fitted.target, Labels):
        values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        numbers = {spelled(value): number for number, value in enumerate(fitted.target.values)}
        return torch.tensor([numbers.get(spelled(value), -1) for value in values.tolist()])
    if isinstance(fitted.target, LabelSets):
        return _label_targets(values, fitted.target)
    if isinstance(fitted.target, PixelLabels):
        return _masks(values, fitted)
    if isinstance(fitted.target, TokenLabels):
        if not all(isinstance(one, list) for one in values.tolist()):
            fail("ship.tag-targets", found=f"{values.dtype} {list(values.shape)}")
        return pad_tags(values.tolist(), fitted.target)
    assert isinstance(fitted.target, Quantities)
    mean, scale = numpy.array(fitted.target.mean), numpy.array(fitted.target.scale)
    if values.dtype.kind not in "biuf" or values.ndim not in (1, 2) or values[0].size != len(mean):
        fail("ship.targets", found=f"{values.dtype} {list(values.shape)}", wanted=len(mean))
    return torch.from_numpy((values.astype(numpy.float64).reshape(len(values), -1) - mean) / scale)


def _masks(values: "numpy.ndarray[Any, Any]", fitted: Preprocessing) -> Tensor:
    """Masks in the sides of the pictures, as the net takes these or as they came."""
    assert isinstance(fitted.target, PixelLabels)
    masks, sides = without_channel(values), fitted.sample_shape[-2:]
    came = tuple((getattr(fitted.encoder, "came_as", None) or sides)[-2:])
    if masks.dtype.kind not in "biuf" or masks.ndim != 3 or masks.shape[1:] not in (sides, came):
        fail("ship.mask-targets", found=f"{values.dtype} {list(values.shape)}", wanted=list(came))
    return nearest(fitted.target.encode(masks), *sides)


def mask_targets(masks: Sequence[Any], fitted: Preprocessing) -> Tensor:
    """Masks [H, W] of sizes of their own in that of the net, as it is trained on them."""
    assert isinstance(fitted.target, PixelLabels)
    sides = fitted.sample_shape[-2:]
    return torch.cat([nearest(fitted.target.encode(mask[None].astype(numpy.int64)), *sides) for mask in masks])


def _label_targets(values: "numpy.ndarray[Any, Any]", target: LabelSets) -> Tensor:
    if values.ndim == 2 and values.dtype.kind in "biuf" and values.shape[1] == target.outputs:
        return torch.from_numpy(values.astype(numpy.float64))
    if values.ndim != 1 or values.dtype.kind not in "OU":
        fail("ship.label-targets", found=f"{values.dtype} {list(values.shape)}", wanted=target.outputs)
    numbers = {spelled(value): number for number, value in enumerate(target.values)}
    flags = torch.zeros(len(values), target.outputs, dtype=torch.float64)
    for row, cell in enumerate(values.tolist()):
        labels = labels_in(cell, target.separator) if isinstance(cell, str) else cell
        places = [numbers.get(spelled(label)) for label in cast(Sequence[Any], labels or ())]
        if cell is None or None in places:
            flags[row] = math.nan
        else:
            flags[row, [place for place in places if place is not None]] = 1.0
    return flags
