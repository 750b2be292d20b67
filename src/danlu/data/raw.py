"""Raw samples of a data set: what `run.predict` is given for the very samples that a net was trained or scored on."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.data.dataset import Dataset, Making, RawSamples, ReadSource
from danlu.data.feeds import MapFeed
from danlu.data.label_sets import LabelSets
from danlu.data.memory import MemoryDataset
from danlu.data.packaged import PackagedDataset
from danlu.data.parts import PARTS
from danlu.data.reconstruction import Reconstruction
from danlu.data.standard import Pixels, Standard
from danlu.data.stream import StreamDataset
from danlu.data.text.corpus import CorpusDataset
from danlu.data.text.encoders import SourceEncoder
from danlu.data.tokens import END_OF_LINE, UNKNOWN


def raw_samples(data: Dataset, part: str, rows: Sequence[int] | None = None) -> RawSamples:
    """The samples `rows` of a part (None: all of it) as their source holds them: see RawSamples.

    The source is read again where the data set keeps only what became of it. UserError where that is a user's own code,
    is gone, or gives other samples by now.

    >>> from danlu.data import load
    >>> raw = raw_samples(load("iris"), "test", [0, 1])
    >>> list(raw.samples), raw.targets
    (['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'], ['setosa', 'setosa'])
    """
    if isinstance(data, PackagedDataset):
        data.refuse()
    wanted = list(range(data.sizes[part])) if rows is None else list(rows)
    if isinstance(data, Reconstruction):
        found = _raw(data.inner, data.making, part, wanted)
        return RawSamples(found.kind, found.samples)
    return _raw(data, data.making, part, wanted)


def _raw(data: Dataset, making: Making | None, part: str, rows: list[int]) -> RawSamples:
    if isinstance(data, CorpusDataset):
        return RawSamples("texts", [_text(data, part, row) for row in rows])
    if isinstance(data, MemoryDataset):
        return _of_memory(data, making, part, rows)
    feed = data.feeds[part] if isinstance(data, StreamDataset) else None
    return _read_again(data, making, feed.rows[rows] if isinstance(feed, MapFeed) else None)


def _of_memory(data: MemoryDataset, making: Making | None, part: str, rows: list[int]) -> RawSamples:
    offset = sum(data.sizes[earlier] for earlier in PARTS[: PARTS.index(part)])
    places = torch.tensor(rows, dtype=torch.int64) + offset
    stored = data.x[places]
    pictures = isinstance(data.encoder, Pixels) and data.encoder.came_as is None and data.encoder.white is None
    if pictures or (isinstance(data.encoder, Standard) and data.encoder.mean is None):
        y = data.y[places]
        targets = data.target.members(y > 0) if isinstance(data.target, LabelSets) else data.target.decode(y)
        told = None if isinstance(targets, str) else targets.tolist()
        samples: Any = list(stored.numpy()) if pictures else stored.numpy()
        return RawSamples("pictures" if pictures else "numbers", samples, told)
    found = _read_again(data, making, None if data.numbers is None else data.numbers[places])
    encoded = data.encode(found.samples) if rows else stored
    if isinstance(data.encoder, SourceEncoder) and rows:  # which may have been cut off, and have their targets beside
        stored = stored[:, 0]
        encoded = encoded[:, : stored.shape[1]].where(stored != 0, 0)
    if not _same(data, encoded, stored):
        fail("data.raw-changed", name=data.name)
    return found


def _read_again(data: Dataset, making: Making | None, numbers: Tensor | None) -> RawSamples:
    read = None if making is None or numbers is None else making.read()
    if not isinstance(read, ReadSource) or read.raw is None or numbers is None:
        fail("data.no-raw", name=data.name)
    return read.raw(numbers.tolist(), data.encoder)


def _same(data: MemoryDataset, encoded: Tensor, stored: Tensor) -> bool:
    """Whether samples read again become what the data set holds of them."""
    if data.pixels is not None:
        return torch.equal(encoded, data.pixels.on(torch.device("cpu"), torch.float32)(stored))
    if data.vocabulary is not None:  # which may have been cut off
        return torch.equal(encoded[:, : stored.shape[1]], stored)
    return torch.equal(encoded, stored.to(torch.float32))


def _text(data: CorpusDataset, part: str, row: int) -> str:
    """Sample number `row` of a running text: its tokens as text, those that are not in the vocabulary as "\ufffd"."""
    tokens = data.corpora[part][row * data.steps : (row + 1) * data.steps]
    vocabulary = data.vocabulary
    assert vocabulary is not None
    unknown = vocabulary.numbers[UNKNOWN]
    pieces = ["\ufffd" if token == unknown else vocabulary.tokens[token] for token in tokens.tolist()]
    if vocabulary.kind == "characters":
        return "".join(pieces)
    return " ".join("\n" if piece == END_OF_LINE else piece for piece in pieces)
