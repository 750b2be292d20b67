"""Samples of pictures, arrays and texts as they came, picked out of their pools by number."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy

from danlu.base.float8 import widened
from danlu.data.arrays import array_samples, array_target
from danlu.data.dataset import Encoder, RawSamples
from danlu.data.images import Images, Pool
from danlu.data.layout import as_tensor
from danlu.data.standard import Pixels


def raw_images(images: Images, numbers: list[int], encoder: Encoder) -> RawSamples:
    """Pictures of a reader, in the size that they had before any was resized."""
    pools: dict[str, tuple[Any, Pool]] = {}
    for part in ("train", "validation", "test"):
        pool: Pool | None = getattr(images, part)
        if pool is not None:
            pools[part] = (pool.images, pool)
    found = list(_picked(pools, numbers))
    if images.target is not None:
        labels = [images.target.decode(pool.labels[row]).tolist() for pool, row in found]
    else:
        labels = [images.classes[int(pool.labels[row])] for pool, row in found]
    return RawSamples("pictures", [pool.images[row].numpy() for pool, row in found], labels)


def raw_arrays(pools: Mapping[str, tuple[Any, Any]], numbers: list[int], encoder: Encoder) -> RawSamples:
    """Samples of the arrays (x, y) that were given for each part."""
    targets = {part: array_target(y) for part, (_, y) in pools.items()}
    pictures = isinstance(encoder, Pixels)
    samples = {part: array_samples(x) if pictures else widened(as_tensor(x)) for part, (x, _) in pools.items()}
    places = list(_picked({part: (samples[part], part) for part in pools}, numbers))
    found = [samples[part][row].numpy() for part, row in places]
    told = [targets[part][row].tolist() for part, row in places]
    return RawSamples("pictures", found, told) if pictures else RawSamples("numbers", numpy.stack(found), told)


def raw_texts(pools: Mapping[str, tuple[Any, Any]], numbers: list[int], encoder: Encoder) -> RawSamples:
    """Texts with the labels that were given with them."""
    places = list(_picked({part: (x, part) for part, (x, _) in pools.items()}, numbers))
    labels = {part: numpy.asarray(y) for part, (_, y) in pools.items()}
    texts = [str(pools[part][0][row]) for part, row in places]
    return RawSamples("texts", texts, [labels[part][row].item() for part, row in places])


def _picked(pools: Mapping[str, tuple[Any, Any]], numbers: list[int]) -> Iterator[tuple[Any, int]]:
    """For each number what stands beside the samples of its pool, and the row in that pool."""
    for number in numbers:
        first = 0
        for samples, beside in pools.values():
            if number < first + len(samples):
                yield beside, number - first
                break
            first += len(samples)
