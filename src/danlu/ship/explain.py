"""Why a net answers as it does: what changes where a part of the sample is taken away, all parts in one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import CategoryColumn, FittedColumn
from danlu.ship.answerer import Answerer, Answers

_CELLS = 8  # along each side of a picture; a grey patch covers two
_MOST_PIECES = 60  # of a text that are taken away one after the other


@dataclass(frozen=True)
class Explained:
    """The answers, the sample's own first, and for each part by how much the answer falls without it: of a class its
    probability, of a regression its (first) number in its own unit.
    """

    answers: Answers
    effects: Tensor


def explained(answerer: Answerer, sample: Tensor, changed: Tensor) -> Explained:
    """What `answerer` says of an encoded `sample` [1, …] and of the same with a part taken away, `changed` [K, …]."""
    answers = answerer.answers(torch.cat([sample, changed.to(sample.dtype)]))
    if answers.probabilities is not None:
        told = answers.probabilities[:, int(answers.probabilities[0].argmax())]
    else:
        told = torch.as_tensor(answers.values).double().reshape(len(sample) + len(changed), -1)[:, 0]
    return Explained(answers, told[0] - told[1:])


@dataclass(frozen=True)
class PictureGrid:
    """A picture's cells as bounds in pixels along both sides, and for each patch its first cell (row, column)."""

    rows: Sequence[int]
    columns: Sequence[int]
    places: Sequence[tuple[int, int]]


def patches_of(shape: Sequence[int]) -> PictureGrid:
    """Cells of a picture [..., H, W]: 8 cells along each side (fewer on a smaller one), a patch of 2 x 2 at each.

    >>> len(patches_of((1, 28, 28)).places), patches_of((1, 28, 28)).rows
    (49, [0, 4, 7, 10, 14, 18, 21, 24, 28])
    """
    sides = [min(_CELLS, side) for side in shape[-2:]]
    rows, columns = (
        [round(cell * side / cells) for cell in range(cells + 1)] for side, cells in zip(shape[-2:], sides, strict=True)
    )
    steps = [range(max(1, cells - 1)) for cells in sides]
    return PictureGrid(rows, columns, [(row, column) for row in steps[0] for column in steps[1]])


def occluded(picture: Tensor, patches: PictureGrid) -> Tensor:
    """An encoded picture [C, H, W] or [H, W] once for each patch, which has the picture's mean colour: [K, …].

    Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901.
    """
    grey = picture.mean((-2, -1), keepdim=True).expand_as(picture)
    copies = picture.expand(len(patches.places), *picture.shape).clone()
    for copy, (row, column) in zip(copies, patches.places, strict=True):
        down = slice(patches.rows[row], patches.rows[min(row + 2, len(patches.rows) - 1)])
        across = slice(patches.columns[column], patches.columns[min(column + 2, len(patches.columns) - 1)])
        copy[..., down, across] = grey[..., down, across]
    return copies


def heat(effects: Tensor, patches: PictureGrid) -> list[list[float]]:
    """For each cell of a picture the mean effect of the patches that cover it."""
    total = torch.zeros(len(patches.rows) - 1, len(patches.columns) - 1, dtype=torch.float64)
    count = torch.zeros_like(total)
    for effect, (row, column) in zip(effects.tolist(), patches.places, strict=True):
        total[row : row + 2, column : column + 2] += effect
        count[row : row + 2, column : column + 2] += 1
    return (total / count).tolist()


def usual_rows(encoder: TableEncoder, row: Tensor) -> tuple[Tensor, list[int]]:
    """An encoded row [features] with each column in turn at its usual value, [K, features], and which column each of
    them changes: the median of numbers, the most frequent category; every category, where that is not known.
    """
    changed: list[Tensor] = []
    owners: list[int] = []
    first = 0
    for number, column in enumerate(encoder.columns):
        width = len(column.features)
        for values in _usual(column):
            copy = row.clone()
            copy[first : first + width] = torch.tensor(values, dtype=row.dtype)
            changed.append(copy)
            owners.append(number)
        first += width
    return torch.stack(changed), owners


def _usual(column: FittedColumn) -> list[list[float]]:
    if not isinstance(column, CategoryColumn):
        middle = (column.median - column.mean) / column.scale
        return [[middle, *[0.0] * (len(column.features) - 1)]]
    hot = [[float(place == value) for place in range(len(column.features))] for value in range(len(column.values))]
    return [hot[column.values.index(column.usual)]] if column.usual in column.values else hot


def by_owner(effects: Tensor, owners: Sequence[int], count: int) -> list[float]:
    """The mean effect of each of `count` owners.

    >>> by_owner(torch.tensor([1.0, 2.0, 4.0]), [0, 1, 1], 2)
    [1.0, 3.0]
    """
    groups: list[list[float]] = [[] for _ in range(count)]
    for effect, owner in zip(effects.tolist(), owners, strict=True):
        groups[owner].append(effect)
    return [sum(group) / max(1, len(group)) for group in groups]


def without_pieces(tokens: Sequence[Any], encoded: Tensor) -> tuple[Tensor, list[range]]:
    """An encoded text [T] with one piece after the other cut out, [K, T], and which of its `tokens` each piece holds:
    one, or several neighbours where there are many. Nothing where one token is all there is.
    """
    count = min(len(tokens), len(encoded))
    size = -(-count // _MOST_PIECES)
    pieces = [range(first, min(first + size, count)) for first in range(0, count, size)] if count > 1 else []
    shorter = torch.zeros(len(pieces), len(encoded), dtype=encoded.dtype)
    for row, piece in zip(shorter, pieces, strict=True):
        kept = torch.cat([encoded[: piece.start], encoded[piece.stop : count]])
        row[: len(kept)] = kept
    return shorter, pieces
