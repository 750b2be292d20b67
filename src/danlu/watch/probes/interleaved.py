"""Rows of a table that come in an order, and were dealt out at random: held-out ones beside those of the training."""

import math
from typing import Any

import numpy
import torch
from torch.utils.data import ConcatDataset, IterableDataset, Subset

from danlu.watch.tracing import unreadable

_LEAST = 0.1  # share of the held-out rows that lie beside one of the training
_ROWS = 4_096  # in a row, that are looked at
_FEWEST = 200
_BINS = 24  # of targets that are numbers
_ALIKE = 0.35  # a step from one row to the next, over that between any two
_ALIKE_TARGETS = 0.5
_DISTINCT = 0.1  # different numbers of a column, over its rows: fewer are those of a grid, or codes
_COLUMNS = 0.5  # share of the columns


def interleaved(train: Any, held_out: Any) -> float:
    """The share of the rows of one loader that lie beside a row of the other, in a table whose neighbours are alike;
    NaN where the two do not deal out one table, or where that cannot be told.

    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> walk = torch.randn(400, 5, generator=torch.Generator().manual_seed(0)).cumsum(0)
    >>> table = TensorDataset(walk[:, :4].frac(), walk[:, 4].frac())
    >>> even, odd = (DataLoader(Subset(table, range(first, 400, 2))) for first in (0, 1))
    >>> math.isnan(interleaved(even, odd))
    True
    >>> table = TensorDataset(walk[:, :4], walk[:, 4])
    >>> even, odd = (DataLoader(Subset(table, range(first, 400, 2))) for first in (0, 1))
    >>> interleaved(even, odd)
    1.0
    """
    ours, theirs = _places(train), _places(held_out)
    if ours is None or theirs is None or ours[0] is not theirs[0] or not len(theirs[1]):
        return math.nan
    known = numpy.zeros(len(ours[0]) + 2, dtype=bool)  # with a place before the first row, and one behind the last
    known[ours[1] + 1] = True
    asked = theirs[1] + 1
    if known[asked].any():
        return 0.0
    share = float((known[asked - 1] | known[asked + 1]).mean())
    table = _table(ours[0]) if share > _LEAST else None
    return share if table is not None and _is_ordered(*table) else math.nan


def _places(loader: Any) -> tuple[Any, numpy.ndarray] | None:
    """The data set that a loader deals out in the end, and the places of its samples there."""
    dataset: Any = getattr(loader, "dataset", None)
    if isinstance(dataset, IterableDataset | ConcatDataset) or not hasattr(dataset, "__len__"):
        return None
    chosen = getattr(getattr(loader, "sampler", None), "indices", None)
    places = numpy.asarray(range(_count(dataset)) if chosen is None else chosen, dtype=numpy.int64)
    while isinstance(dataset, Subset):
        inner: Any = dataset
        places, dataset = numpy.asarray(inner.indices, dtype=numpy.int64)[places], inner.dataset
    inside = len(places) == 0 or (places.min() >= 0 and places.max() < _count(dataset))
    return (dataset, places) if inside else None


def _count(dataset: Any) -> int:
    return len(dataset)


def _table(dataset: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The inputs [N, D] and the targets [N] or [N, 1] that a data set holds in memory; None where it holds others."""
    held = getattr(dataset, "tensors", None) or list(getattr(dataset, "__dict__", {}).values())
    count = len(dataset)
    found = [torch.as_tensor(one) for one in held if _is_array(one) and len(one) == count]
    if len(found) != 2 or any(unreadable(one) or one.device.type != "cpu" for one in found):
        return None
    inputs, targets = (one[:_ROWS] for one in found)
    if inputs.dim() != 2 or not inputs.dtype.is_floating_point or targets.numel() != len(inputs):
        return None
    return inputs.double(), targets.reshape(-1)


def _is_array(value: Any) -> bool:
    if isinstance(value, numpy.ndarray):
        return value.dtype.kind in "fiub" and value.ndim > 0  # pyright: ignore[reportUnknownMemberType]
    return isinstance(value, torch.Tensor) and value.dim() > 0 and not value.is_complex()


def _is_ordered(inputs: torch.Tensor, targets: torch.Tensor) -> bool:
    """Whether a row resembles the next one, in its inputs and its target, beyond what equal targets explain: so it is
    with measurements in time, and not where rows are sorted by a class, a price or one of their columns."""
    if len(inputs) < _FEWEST or not bool(torch.isfinite(inputs).all()):
        return False
    groups = _groups(targets)
    if groups is None:
        return False
    means = torch.zeros(int(groups.max()) + 1, inputs.shape[1], dtype=torch.float64)
    counts = torch.bincount(groups).clamp(min=1)[:, None]
    left = inputs - (means.index_add_(0, groups, inputs) / counts)[groups]
    moving = [column for column, raw in zip(left.T, inputs.T, strict=True) if bool((raw != raw[0]).any())]
    raws = [raw for raw in inputs.T if bool((raw != raw[0]).any())]
    alike = [_is_free(raw) and _step(column) <= _ALIKE for column, raw in zip(moving, raws, strict=True)]
    return bool(alike) and sum(alike) >= _COLUMNS * len(alike)


def _groups(targets: torch.Tensor) -> torch.Tensor | None:
    """Which rows have targets that are alike; None where the targets themselves follow no order."""
    values, codes = targets.unique(return_inverse=True)
    if len(values) < 2:
        return None
    if len(values) <= math.sqrt(len(targets)):
        shares = torch.bincount(codes).double() / len(codes)
        changes = float((codes[1:] != codes[:-1]).double().mean())
        return codes if changes <= _ALIKE_TARGETS * float(1 - shares.square().sum()) else None
    if not bool(torch.isfinite(targets.double()).all()) or _step(targets.double()) > _ALIKE_TARGETS:
        return None
    return targets.argsort().argsort() * _BINS // len(targets)


def _is_free(column: torch.Tensor) -> bool:
    """Whether the table is neither sorted by a column nor a grid in it."""
    steps = column[1:] - column[:-1]
    return bool((steps > 0).any()) and bool((steps < 0).any()) and len(column.unique()) >= _DISTINCT * len(column)


def _step(column: torch.Tensor) -> float:
    """How far a number lies from the next one on the mean, over how far any two of them do."""
    ranks = 2 * torch.arange(len(column), dtype=torch.float64) - len(column) + 1
    apart = 2 * float((ranks * column.sort().values).sum()) / len(column) ** 2
    return float((column[1:] - column[:-1]).abs().mean()) / apart if apart > 0 else 1.0
