"""Which samples of which pool make up each part, and the parts laid out in one tensor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault
from danlu.base.seeds import mix
from danlu.data.divide import divide, keys_of
from danlu.data.options import Options
from danlu.data.parts import PARTS

Pools = Mapping[str, tuple[Tensor, Tensor]]
"""Samples and targets as they came: "train", and "validation" or "test" where the source has such parts of its own."""


# Rows whose keys are made at once: few enough to stay in the processor's cache.
CHUNK_ROWS = 1024


@dataclass(frozen=True)
class Portion:
    """The samples of one part: the `rows` (int64, None: all) of the pool (x, y) that it is taken from."""

    x: Tensor
    y: Tensor
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x) if self.rows is None else len(self.rows)


def carve(pools: Pools, options: Options) -> dict[str, Portion]:
    """Parts that came are kept; those that did not are carved from the training pool.

    A fold is drawn over all that is not the test part, also where a validation part came, and a refit trains on that.
    """
    given = {part: Portion(x, y) for part, (x, y) in pools.items()}
    if "validation" in given and "test" in given and options.fold is None and not options.refit:
        return given
    x, y = pools["train"]
    kept = {part: given[part] for part in given if part == "test"}
    if "validation" in given and options.fold is None and not options.refit:
        kept["validation"] = given["validation"]
        options = replace(options, validation=0.0)
    elif "validation" in given:
        x, y = (torch.cat([pool, later]) for pool, later in zip(pools["train"], pools["validation"], strict=True))
    keys = keys_of(options, len(y), None if y.is_floating_point() or y.dim() > 1 else y)
    rows = divide(len(y), options, keys, test=0.0 if "test" in given else options.test)
    carved = {part: Portion(x, y, rows[part]) for part in PARTS}
    return {**carved, **kept}


def gather(portions: Mapping[str, Portion]) -> tuple[Tensor, Tensor, dict[str, int]]:
    """The portions laid out one behind the other in new tensors x and y, and how many samples each part has."""
    present = [portions[part] for part in PARTS if part in portions]
    sizes = {part: len(portions[part]) if part in portions else 0 for part in PARTS}
    total = sum(sizes.values())
    x = torch.empty((total, *present[0].x.shape[1:]), dtype=present[0].x.dtype)
    y = torch.empty((total, *present[0].y.shape[1:]), dtype=present[0].y.dtype)
    first = 0
    for portion in present:
        last = first + len(portion)
        for place, pool in ((x, portion.x), (y, portion.y)):
            if portion.rows is None:
                place[first:last] = pool
            else:
                torch.index_select(pool, 0, portion.rows, out=place[first:last])
        first = last
    return x, y, sizes


def source_numbers(pools: Pools, portions: Mapping[str, Portion]) -> Tensor:
    """The number of each sample that `gather` lays out, in the pools one behind the other.

    >>> pools = {"train": (torch.zeros(3), torch.zeros(3)), "test": (torch.zeros(2), torch.zeros(2))}
    >>> portions = {"train": Portion(*pools["train"], torch.tensor([2, 0])), "test": Portion(*pools["test"])}
    >>> source_numbers(pools, portions).tolist()
    [2, 0, 3, 4]
    """
    first, begins = 0, dict[str, int]()
    for part, (x, _) in pools.items():
        begins[part], first = first, first + len(x)
    present = [part for part in PARTS if part in portions]
    # What was carved out was numbered from the first sample on; a part that came stands where its pool begins.
    numbers = {part: portions[part].rows for part in present}
    return torch.cat(
        [torch.arange(len(portions[part])) + begins[part] if rows is None else rows for part, rows in numbers.items()]
    )


def shared_rows(
    portions: Mapping[str, Portion], x: Tensor, y: Tensor, lines: "numpy.ndarray[Any, Any] | None" = None
) -> tuple[Fault, ...]:
    """A note where samples of the validation or test part, target and all, also stand in the training part; `x` and `y`
    are what `gather` laid out. Samples are named by the `lines` of all rows in their file, else by their number,
    counted from 1, in the array that the part was taken from.
    """
    return shared_keys(portions, row_keys(x) + 31 * row_keys(y), lines)


def shared_keys(
    portions: Mapping[str, Portion], keys: Tensor, lines: "numpy.ndarray[Any, Any] | None" = None
) -> tuple[Fault, ...]:
    """The same note by the keys int64 [N] of all samples, part behind part."""
    present = [part for part in PARTS if part in portions]
    by_part = dict(zip(present, keys.split([len(portions[part]) for part in present]), strict=True))
    train, first_rows = numpy.unique(by_part["train"].numpy(), return_index=True)
    notes: list[Fault] = []
    for part in present[1:]:
        held = by_part[part].numpy()
        place = numpy.searchsorted(train, held).clip(max=len(train) - 1)
        twice = numpy.flatnonzero(train[place] == held)
        if len(twice):
            first = first_rows[place[twice[:3]]].tolist()
            pairs = [
                f"{_row(portions[part], held_row, lines)} = {_row(portions['train'], train_row, lines)}"
                for held_row, train_row in zip(twice[:3].tolist(), first, strict=True)
            ]
            values = {"part": part, "count": len(twice), "total": len(held), "examples": ", ".join(pairs)}
            notes.append(Fault("data.shared-rows" if lines is None else "data.shared-lines", values))
    return tuple(notes)


def _row(portion: Portion, place: int, lines: "numpy.ndarray[Any, Any] | None") -> int:
    row = place if portion.rows is None else int(portion.rows[place])
    return row + 1 if lines is None else int(lines[row])


def row_keys(rows: Tensor) -> Tensor:
    """A 64-bit key of each row's bytes: an exact duplicate has the same, and two others hardly ever do."""
    keys = torch.empty(len(rows), dtype=torch.int64)
    rows = rows.reshape(len(rows), -1)
    for first in range(0, len(rows), CHUNK_ROWS):
        data = rows[first : first + CHUNK_ROWS].contiguous().view(torch.uint8)
        words = torch.nn.functional.pad(data, (0, -data.shape[1] % 8)).view(torch.int64)
        # The column's own number keeps rows apart that hold the same values in another order.
        columns = mix(torch.arange(1, words.shape[1] + 1))
        keys[first : first + len(data)] = mix(words ^ columns).sum(1)
    return keys
