"""Pairs (x, y) in memory into a data set, whether x is one array or several inputs."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from danlu.data.arrays import array_dataset
from danlu.data.dataset import ReadSource
from danlu.data.raw_pools import raw_arrays
from danlu.data.several_inputs import are_several, raw_several, several_dataset


def arrays_builder(name: str, pools: Mapping[str, tuple[Any, Any]]) -> ReadSource:
    """What makes a data set of the pairs (x, y) of each part."""
    if any(are_several(x, y) for x, y in pools.values()):
        return ReadSource(partial(several_dataset, name, pools), partial(raw_several, pools))
    return ReadSource(partial(array_dataset, name, pools), partial(raw_arrays, pools))
