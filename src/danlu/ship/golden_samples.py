"""Golden samples taken from a run's data: a few raw samples over all classes, with the run's own answers."""

from collections.abc import Iterator
from typing import Any, cast

import numpy
import torch
from torch import Tensor

from danlu.base.errors import DanluError
from danlu.data import PARTS, Dataset
from danlu.data.dataset import RawSamples
from danlu.data.decode import Shape, fit_picture
from danlu.data.memory import MemoryDataset
from danlu.data.raw import raw_samples
from danlu.data.standard import Pixels
from danlu.ship.answerer import Answerer, Answers
from danlu.store.package_file import GoldenSample, GoldenSamples

COUNT = 8
MAX_BYTES = 2**20
"""Of all raw samples and outputs together."""


def golden_samples(data: Dataset, answerer: Answerer) -> GoldenSamples:
    """Up to 8 samples of the test part, or of the validation or training part where it is empty, over the classes.

    None, and `missing` has the id of the reason, where the data set has no raw samples, or these are too large.
    """
    part = next((part for part in ("test", "validation") if data.sizes[part]), "train")
    try:
        raw = raw_samples(data, part, _rows(data, part))
        samples = _small(list(_each(raw, data)))
        if not samples:
            return GoldenSamples(missing="ship.golden-too-large")
        batch = GoldenSamples(raw.kind, tuple(GoldenSample(one, None, None, numpy.empty(0)) for one in samples)).raw()
        encoded = answerer.encode(batch)
        answers = answerer.answers(encoded)
        outputs = _of_last_token(answers.outputs, encoded) if data.task == "language" else answers.outputs
    except (DanluError, MemoryError) as error:  # the training is done: nothing here may take its end away
        return GoldenSamples(missing=error.faults[0].id if isinstance(error, DanluError) else "ship.golden-too-large")
    said = [_golden(samples[row], answers, outputs, row, data.task) for row in range(len(samples))]
    if sum(one.outputs.nbytes for one in said) > MAX_BYTES:
        return GoldenSamples(missing="ship.golden-too-large")
    return GoldenSamples(raw.kind, tuple(said))


def _rows(data: Dataset, part: str) -> list[int]:
    """Samples evenly over the part, of classes by turns."""
    count = data.sizes[part]
    if data.task != "classification" or not isinstance(data, MemoryDataset):
        return numpy.unique(numpy.linspace(0, count - 1, min(COUNT, count)).astype(int)).tolist()
    first = sum(data.sizes[earlier] for earlier in PARTS[: PARTS.index(part)])
    labels = data.y[first : first + count]
    by_class = [torch.nonzero(labels == label).flatten().tolist() for label in labels.unique().tolist()]
    turns = max(map(len, by_class))
    return sorted([rows[turn] for turn in range(turns) for rows in by_class if turn < len(rows)][:COUNT])


def _each(raw: RawSamples, data: Dataset) -> Iterator[Any]:
    """Sample by sample: a row, or several inputs, as a dict, a large picture of a file in the size that the net
    takes.
    """
    if raw.kind == "table":
        yield from (dict(zip(raw.samples, row, strict=True)) for row in zip(*raw.samples.values(), strict=True))
    elif raw.kind == "pictures" and isinstance(data.encoder, Pixels) and data.encoder.white is not None:
        channels, height, width = data.encoder.sample_shape
        for picture in raw.samples:
            large = picture.nbytes > MAX_BYTES // COUNT
            yield fit_picture(picture, Shape(channels, height, width, whole=data.encoder.whole)) if large else picture
    elif raw.kind == "several":
        # A number a sample is an array, too, of no axes.
        for row in range(len(raw)):
            yield {name: numpy.asarray(array[row]) for name, array in raw.samples.items()}
    else:
        yield from raw.samples


def _small(samples: list[Any]) -> list[Any]:
    """As many of the samples as fit into the package."""
    kept: list[Any] = []
    total = 0
    for sample in samples:
        size = _size_of(sample)
        if total + size <= MAX_BYTES:
            kept.append(sample)
            total += size
    return kept


def _size_of(sample: Any) -> int:
    """How many bytes a sample has, or characters."""
    if isinstance(sample, dict):
        return sum(map(_size_of, cast(dict[str, Any], sample).values()))
    return sample.nbytes if isinstance(sample, numpy.ndarray) else len(repr(sample))


def _of_last_token(outputs: Tensor, encoded: Tensor) -> Tensor:
    last = (encoded != 0).sum(1).clamp(min=1) - 1
    return outputs[torch.arange(len(outputs)), last]


def _golden(raw: Any, answers: Answers, outputs: Tensor, row: int, task: str) -> GoldenSample:
    value = None if task == "reconstruction" else answers.values[row]
    probabilities = None if answers.probabilities is None else answers.probabilities[row].numpy()
    return GoldenSample(raw, _plain(value), probabilities, outputs[row].numpy())


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
