"""Which plain arrays are standardised when nothing is said: features like those of tables, pictures by their range."""

from typing import Any

import numpy
import polars
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from danlu.data import Dataset, load

CPU = torch.device("cpu")
GENERATOR = numpy.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(60, 3)) * [1.0, 1000.0, 1e-3] + [0.0, 5e4, 0.5]
CLASSES = numpy.arange(60) % 3
PIXELS = GENERATOR.random((60, 1, 6, 6))


def training_part(data: Dataset) -> tuple[Tensor, Tensor]:
    x, y = next(data.batches("train", 999, device=CPU, dtype=torch.float64))
    return x, y


def notes(data: Dataset) -> list[str]:
    return [note.id for note in data.notes]


@pytest.mark.parametrize(
    "x",
    [
        FEATURES,
        FEATURES.astype(numpy.float32),
        FEATURES.tolist(),
        torch.from_numpy(FEATURES),
        polars.DataFrame(FEATURES),
        (FEATURES * 1000).astype(int),
        GENERATOR.integers(0, 255, (60, 4)).astype(numpy.uint8),
        1_600_000_000 + GENERATOR.integers(0, 1000, (60, 2)),
    ],
    ids=["float64", "float32", "list", "tensor", "frame", "integers", "flat-pixels", "time-stamps"],
)
def test_features_have_mean_0_and_deviation_1(x: Any) -> None:
    for source in ((x, CLASSES), (x, FEATURES[:, 1] * 3 + 1e6)):
        data = load(source)
        features, target = training_part(data)
        assert features.mean(0).abs().max() < 1e-3
        assert (features.std(0, correction=0) - 1).abs().max() < 1e-3
        assert "data.standardised" in notes(data)
        encoded = data.encode(x)
        assert encoded.dtype == torch.float32
        if data.task == "regression":
            assert target.mean().abs() < 1e-6
            assert "data.target-standardised" in notes(data)
            assert numpy.mean(numpy.asarray(data.decode(target))) == pytest.approx(1e6 + 3 * 5e4, rel=0.01)


def test_a_dataset_of_tensors_is_standardised_too() -> None:
    data = load(TensorDataset(torch.from_numpy(FEATURES), torch.from_numpy(CLASSES)))
    assert (training_part(data)[0].std(0, correction=0) - 1).abs().max() < 1e-6


def test_streamed_features_are_told_to_be_as_they_came() -> None:
    loader = DataLoader(TensorDataset(torch.from_numpy(FEATURES).float(), torch.from_numpy(CLASSES)), batch_size=8)
    assert "data.stream-as-it-is" in notes(load(loader))
    assert "data.stream-as-it-is" not in notes(load(loader, standardise=False))


def test_arrays_and_tables_give_the_net_the_same_numbers() -> None:
    frame = polars.DataFrame({"a": FEATURES[:, 0], "b": FEATURES[:, 1], "y": FEATURES[:, 2]})
    arrays, table = load((FEATURES[:, :2], FEATURES[:, 2])), load(frame, target="y")
    for one, other in zip(training_part(arrays), training_part(table), strict=True):
        assert torch.allclose(one.float(), other.float(), atol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 5.0, 0.1, 1e8 + 0.1, -3e-9])
@pytest.mark.parametrize("kind", [numpy.float32, numpy.float64])
def test_constant_features_are_0_whatever_comes_later(constant: float, kind: Any) -> None:
    x = numpy.concatenate([FEATURES[:, :1], numpy.full((60, 1), constant)], axis=1).astype(kind)
    data = load((x, CLASSES))
    assert training_part(data)[0][:, 1].abs().max() == 0
    assert data.encode(numpy.array([[0.0, 7e6]]))[0, 1] == 0
    assert "data.constant-features" in notes(data)
    assert data.facts()["std"][1] == 0


def test_nothing_is_done_where_it_is_switched_off() -> None:
    data = load((FEATURES, FEATURES[:, 1]), standardise=False)
    x, y = training_part(data)
    assert set(y.flatten().tolist()) <= set(FEATURES[:, 1].tolist())
    assert set(x[:, 1].tolist()) <= set(FEATURES[:, 1].tolist())
    assert notes(data) == []


@pytest.mark.parametrize(
    ("pictures", "standardised"),
    [
        (PIXELS, False),
        (PIXELS[:, 0], False),
        (PIXELS * 16, True),
        (PIXELS * 255, True),
        ((PIXELS * 255).astype(int), True),
        (PIXELS[:, 0] * 255, True),
        (PIXELS / 255, True),
        (PIXELS * 2 - 1, True),
        (numpy.repeat(PIXELS, 3, axis=1) * 255, True),
    ],
)
def test_pictures_of_floats_go_by_their_range(pictures: Any, standardised: bool) -> None:
    data = load((pictures, CLASSES))
    x, _ = training_part(data)
    assert ("data.pictures-standardised" in notes(data)) == standardised
    assert x.max() - x.min() > 0.5
    if standardised:
        assert x.mean().abs() < 1e-3
        assert x.std(correction=0) == pytest.approx(1, abs=1e-3)
    else:
        assert (x.min() >= 0, x.max() <= 1) == (True, True)


def test_channels_of_a_sequence_are_standardised_one_by_one() -> None:
    x = GENERATOR.normal(size=(60, 14, 2)) * [1.0, 1000.0] + [0.0, 5e4]
    channels = training_part(load((x, CLASSES)))[0].flatten(0, 1)
    assert (channels.std(0, correction=0) - 1).abs().max() < 1e-6


def test_folds_and_the_last_training_measure_their_own_training_part() -> None:
    data = load((FEATURES, CLASSES))
    for other in (*data.folds(3), data.refit()):
        x, _ = training_part(other)
        assert x.mean(0).abs().max() < 1e-9
        assert (x.std(0, correction=0) - 1).abs().max() < 1e-9
