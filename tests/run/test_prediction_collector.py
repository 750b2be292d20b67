"""What a net answered, gathered while it is scored, against scikit-learn."""

import base64
import io
import math

import numpy
import pytest
import torch
from PIL import Image
from sklearn.metrics import confusion_matrix

import danlu
from danlu.run.listeners.prediction_collector import PredictionCollector, picture
from danlu.store.records import PredictionsMade


def gathered(outputs: torch.Tensor, targets: torch.Tensor, data: danlu.Dataset) -> PredictionsMade:
    collector = PredictionCollector(data, "test")
    for part in torch.arange(len(targets)).split(7):
        list(collector.seen([(torch.zeros(len(part), *data.sample_shape), targets[part])]))
        collector.add(outputs[part], targets[part])
    record = collector.record()
    assert record is not None
    return record


def test_confusion_and_worst_samples() -> None:
    generator = torch.Generator().manual_seed(0)
    data = danlu.load("digits")
    outputs, targets = torch.randn(60, 10, generator=generator), torch.randint(10, (60,), generator=generator)
    record = gathered(outputs, targets, data)
    numpy.testing.assert_array_equal(record.confusion, confusion_matrix(targets, outputs.argmax(1), labels=range(10)))
    losses = torch.nn.functional.cross_entropy(outputs, targets, reduction="none")
    assert [sample.loss for sample in record.worst] == pytest.approx(losses.sort(descending=True).values[:16].tolist())
    assert [sample.text for sample in record.worst] == [
        f"#{at + 1}" for at in losses.argsort(descending=True)[:16].tolist()
    ]


def test_a_net_that_diverged_is_scored_all_the_same() -> None:
    record = gathered(torch.full((20, 10), math.nan), torch.arange(20) % 10, danlu.load("digits"))
    assert sum(map(sum, record.confusion or ())) == 20
    assert all(sample.loss == math.inf or math.isnan(sample.loss) for sample in record.worst)


def test_numbers_are_told_in_the_targets_own_unit() -> None:
    x = numpy.arange(60, dtype="float32").reshape(-1, 1)
    data = danlu.load((x, 1000 * x[:, 0] + 500), task="regression")
    scaled = torch.zeros(4, 1)
    record = gathered(scaled, torch.ones(4, 1), data)
    assert record.residuals is not None
    assert record.residuals.predicted == pytest.approx(numpy.ravel(data.decode(scaled)).tolist())
    assert record.residuals.actual == pytest.approx(numpy.ravel(data.decode(torch.ones(4, 1))).tolist())


def test_a_sample_becomes_a_small_picture() -> None:
    for channels, mode in ((1, "L"), (3, "RGB")):
        sample = torch.linspace(-1, 1, channels * 100 * 80).view(channels, 100, 80)
        image = Image.open(io.BytesIO(base64.b64decode(picture(sample))))
        assert (image.mode, max(image.size)) == (mode, 64)
