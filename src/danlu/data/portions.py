"""Which samples of which pool make up each part, and the parts laid out in one tensor."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from danlu.data.dataset import PARTS
from danlu.data.options import Options
from danlu.data.split import split

Pools = Mapping[str, tuple[Tensor, Tensor]]
"""Samples and targets as they came: "train", and "validation" or "test" where the source has such parts of its own."""


@dataclass(frozen=True)
class Portion:
    """The samples of one part: the `rows` (int64, None: all) of the pool (x, y) that it is taken from."""

    x: Tensor
    y: Tensor
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x) if self.rows is None else len(self.rows)


def carve(pools: Pools, options: Options) -> dict[str, Portion]:
    """Parts that came are kept; validation, and test where neither came, are carved from the training pool."""
    given = {part: Portion(x, y) for part, (x, y) in pools.items()}
    if "validation" in given:
        return given
    x, y = pools["train"]
    labels = None if y.is_floating_point() else y
    share = 0.0 if "test" in given else options.test
    rows = split(len(y), options.validation, share, options.split_seed, labels)
    return {part: Portion(x, y, rows[part]) for part in rows} | {part: given[part] for part in given if part != "train"}


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
