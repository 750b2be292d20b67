"""Plain arrays, tensors and lists: which are images, which classes, which quantities."""

from typing import Any

import numpy
import polars
import pytest
import torch
from sklearn.datasets import load_iris

from danlu.base.errors import UserError
from danlu.data import load

CPU = torch.device("cpu")
X = numpy.random.default_rng(0).normal(size=(40, 3))
THREE = numpy.arange(40) % 3


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (THREE, ("0", "1", "2")),
        (torch.from_numpy(THREE), ("0", "1", "2")),
        (THREE.astype(numpy.uint8)[:, None], ("0", "1", "2")),
        (numpy.where(THREE == 1, 1, -1), ("-1", "1")),
        (numpy.where(THREE == 1, 1, 2), ("1", "2")),
        (numpy.where(THREE == 1, 3, 0), ("0", "1", "2", "3")),
        ([("cat", "dog", "eel")[label] for label in THREE], ("cat", "dog", "eel")),
        (THREE == 1, ("False", "True")),
    ],
)
def test_labels_keep_their_spelling_and_type(y: Any, classes: tuple[str, ...]) -> None:
    data = load((X, y), validation=0, test=0)
    assert (data.task, data.classes, data.outputs) == ("classification", classes, len(classes))
    _, indices = next(data.batches("train", 40, device=CPU))
    decoded = data.decode(indices)
    given = numpy.asarray(y).reshape(40)
    assert decoded.tolist() == given.tolist()
    assert type(decoded.tolist()[0]) is type(given.tolist()[0])


@pytest.mark.parametrize(
    ("y", "is_told"),
    [(numpy.eye(3)[THREE], True), (numpy.eye(3)[THREE] / 2, False), (X[:, :2], False), (numpy.ones((40, 2)), False)],
)
def test_quantities_that_may_be_classes_are_told(y: Any, is_told: bool) -> None:
    data = load((X, y), validation=0, test=0)
    assert data.task == "regression"
    assert ("data.one-hot" in {note.id for note in data.notes}) is is_told


def test_rows_of_texts_are_not_texts() -> None:
    with pytest.raises(UserError, match="they must be numbers"):
        load((X.astype(str), THREE))


def test_what_scikit_learn_and_polars_hand_out_is_opened() -> None:
    bunch = load(load_iris())
    assert (bunch.sizes, bunch.outputs) == (load("iris").sizes, 3)
    frame = polars.DataFrame(X).with_columns(y=polars.Series(THREE))
    assert load(frame.lazy(), target="y").fingerprint() == load(frame, target="y").fingerprint()


@pytest.mark.parametrize(("y", "outputs"), [(X[:, 0], 1), (X[:, :1], 1), (X[:, :2], 2)])
def test_floats_are_quantities_in_their_own_unit(y: Any, outputs: int) -> None:
    data = load((X, y), validation=0, test=0, standardise=False)
    assert (data.task, data.classes, data.outputs) == ("regression", (), outputs)
    assert data.target_scale.tolist() == [1.0] * outputs
    x, target = next(data.batches("train", 40, device=CPU, dtype=torch.float64))
    assert numpy.array_equal(x.numpy(), X)
    assert target.shape == (40, outputs)
    assert numpy.array_equal(data.decode(target).reshape(40, -1), y.reshape(40, -1))


def test_the_task_may_be_said() -> None:
    assert load((X, THREE), task="regression").task == "regression"
    assert load((X, THREE.astype(float)), task="classification").classes == ("0.0", "1.0", "2.0")


def test_standardising_uses_the_training_part_and_can_be_undone() -> None:
    data = load((X * 7 + 3, X[:, 0] * 5 - 2), standardise=True)
    x, y = next(data.batches("train", 99, device=CPU, dtype=torch.float64))
    for standard in (x, y):
        assert torch.allclose(standard.mean(0), torch.zeros((), dtype=torch.float64), atol=1e-12)
        assert torch.allclose(standard.std(0, correction=0), torch.ones((), dtype=torch.float64))
    restored = data.decode(y)
    assert set(numpy.round(restored, 6)) <= set(numpy.round(X[:, 0] * 5 - 2, 6))
    assert torch.allclose(data.encode(X * 7 + 3).double().mean(0), torch.zeros((), dtype=torch.float64), atol=0.5)


@pytest.mark.parametrize(
    ("shape", "sample_shape"),
    [((40, 8, 9), (1, 8, 9)), ((40, 8, 9, 3), (3, 8, 9)), ((40, 3, 8, 9), (3, 8, 9)), ((40, 8, 9, 1), (1, 8, 9))],
)
def test_uint8_arrays_are_images_with_channels_first(shape: tuple[int, ...], sample_shape: tuple[int, ...]) -> None:
    images = numpy.random.default_rng(1).integers(0, 256, shape, dtype=numpy.uint8)
    data = load((images, THREE), validation=0, test=0)
    assert data.sample_shape == sample_shape
    x, _ = next(data.batches("train", 40, device=CPU))
    assert torch.equal(data.encode(images), x)
    assert torch.equal(data.encode(images[0]), x[:1])
    pixel = (
        images[5, 2, 3]
        if images.ndim == 3
        else images[5, 2, 3, 0]
        if sample_shape[0] == shape[3]
        else images[5, 0, 2, 3]
    )
    assert x[5, 0, 2, 3].item() == pytest.approx(
        (pixel / 255 - data.facts()["mean"][0]) / data.facts()["std"][0], abs=1e-4
    )


def test_images_left_as_they_are_lie_between_0_and_1() -> None:
    images = numpy.full((40, 4, 4), 255, dtype=numpy.uint8)
    x, _ = next(load((images, THREE), standardise=False).batches("train", 8, device=CPU))
    assert torch.equal(x, torch.ones(8, 1, 4, 4))


def test_whole_numbers_become_floats_and_one_number_a_sample_a_column() -> None:
    data = load((list(range(40)), THREE.tolist()), standardise=False)
    assert data.sample_shape == (1,)
    x, _ = next(data.batches("train", 4, device=CPU))
    assert (x.dtype, x.shape) == (torch.float32, (4, 1))
    assert data.encode([1, 2]).tolist() == [[1.0], [2.0]]


def test_read_only_and_reversed_arrays_are_welcome() -> None:
    frozen = X.copy()
    frozen.flags.writeable = False
    assert load((frozen, THREE)).sizes["train"] == 28
    assert load((X[::-1], THREE)).sizes["train"] == 28
    assert load((X.astype(">f8"), THREE)).sizes["train"] == 28


def test_half_precision_is_welcome() -> None:
    data = load((torch.randn(40, 3, dtype=torch.bfloat16), torch.randn(40, dtype=torch.bfloat16)))
    x, y = next(data.batches("train", 4, device=CPU))
    assert (x.dtype, y.dtype) == (torch.float32, torch.float32)
    assert data.fingerprint() == data.fingerprint()


WITH_GAPS = X.copy()
WITH_GAPS[3, 1], WITH_GAPS[5, 0] = numpy.nan, numpy.inf

BAD = [
    ((X, THREE[:-1]), r"x has 40 samples, but y has 39", r"x 有 40 个样本，y 却有 39 个"),
    ((WITH_GAPS, THREE), r"not finite .*: 2, the first in row 4, column 2", r"有 2 个值不是有限数.*第 4 行第 2 列"),
    (
        (X, WITH_GAPS[:, 1]),
        r"y: targets missing or not finite: 1, the first in row 4",
        r"y：有 1 个目标值缺失.*第 4 行",
    ),
    (
        (X, ["a", None] * 20),
        r"y: targets missing or not finite: 20, the first in row 2",
        r"有 20 个目标值缺失.*第 2 行",
    ),
    ((X, THREE * 0), r"y: every target is 0", r"y：目标值全都是 0"),
    ((X, numpy.arange(40)), r"all 40 labels differ", r"40 个标签各不相同"),
    ((X, numpy.stack([THREE, THREE], 1)), r"labels must be one a sample, .* int64 \[40, 2\]", r"标签必须每个样本一个"),
    ((numpy.zeros((40, 1, 2, 2, 2), numpy.uint8), THREE), r"shape \[40, 1, 2, 2, 2\]", r"形状是 \[40, 1, 2, 2, 2\]"),
    ((numpy.zeros((40, 7, 7, 7), numpy.uint8), THREE), r"with 1, 3 or 4 channels", r"通道数 C 为 1、3 或 4"),
    (([[1.0], [1.0, 2.0]], [0, 1]), r"rows differ in length", r"各行长度不一致"),
    (([["a"], ["b"]], [0, 1]), r"they must be numbers", r"应为数字"),
    ((X, [{"a": label} for label in THREE]), r"labels of the type dict cannot be read", r"无法读取 dict 类型的标签"),
    ((X[:0], THREE[:0]), r"no samples", r"没有样本"),
    ((X, None), r"no samples", r"没有样本"),
    ((3, 4), r"no samples", r"没有样本"),
    ((X[:2], THREE[:2]), r"2 samples are too few", r"只有 2 个样本"),
]


@pytest.mark.parametrize(("source", "english", "chinese"), BAD)
def test_bad_arrays_are_refused(source: Any, english: str, chinese: str, language: str) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load(source)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int64", "uint16", "uint8", "bool"])
def test_samples_without_a_number_in_them(dtype: str, language: str) -> None:
    with pytest.raises(UserError, match={"en": "hold no numbers", "zh": "没有任何数字"}[language]):
        load((numpy.zeros((40, 0), dtype=dtype), THREE))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_whole_numbers_of_any_width_are_numbers(dtype: str) -> None:
    x = numpy.arange(120).reshape(40, 3).astype(dtype)
    found, _ = next(load((x, THREE), validation=0, test=0, standardise=False).batches("train", 40, device=CPU))
    assert torch.equal(found, torch.arange(120.0).reshape(40, 3))


def test_floats_of_eight_bits_are_numbers_too() -> None:
    x = torch.randn(40, 3).to(torch.float8_e4m3fn)
    found, _ = next(load((x, THREE), validation=0, test=0, standardise=False).batches("train", 40, device=CPU))
    assert torch.equal(found, x.float())


def test_text_is_no_quantity(language: str) -> None:
    with pytest.raises(UserError, match={"en": "a regression predicts numbers", "zh": "回归预测的是数值"}[language]):
        load((X, ["a", "b"] * 20), task="regression")


def test_a_sample_of_another_shape_cannot_be_encoded(language: str) -> None:
    words = {"en": r"shape \[2, 4\] do not fit: one sample must be \[3\]", "zh": r"样本形状 \[2, 4\] 不符"}
    with pytest.raises(UserError, match=words[language]):
        load((X, THREE)).encode(numpy.zeros((2, 4)))
    images = load((numpy.zeros((40, 4, 4), numpy.uint8), THREE))
    with pytest.raises(UserError, match=words[language].replace(r"\[2, 4\]", r"\[1, 5, 5\]").replace("[3", "[1, 4, 4")):
        images.encode(numpy.zeros((1, 5, 5), numpy.uint8))
