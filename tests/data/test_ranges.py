"""Samples on another scale than the training part's: pictures are refused, features told, ordinary ones taken."""

from typing import Any

import numpy
import polars
import pytest
import torch
from sklearn.datasets import load_digits

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.preprocessing import Preprocessing

DIGITS: Any = load_digits()
PICTURES = DIGITS.images
FLOATS = (PICTURES / 16).astype("float32")
BYTES = (PICTURES * 15.9).astype("uint8")
DARK = BYTES // 20
GREY = {
    "digits": lambda: load("digits"),
    "floats": lambda: load((FLOATS, DIGITS.target)),
    "large": lambda: load((PICTURES, DIGITS.target)),
    "bytes": lambda: load((BYTES, DIGITS.target)),
    "plain-bytes": lambda: load((BYTES, DIGITS.target), standardise=False),
}

REFUSED = [
    ("digits", PICTURES / 16),
    ("digits", PICTURES[3] / 16),
    ("digits", PICTURES / 8 - 1),
    ("digits", PICTURES * 16),
    ("digits", BYTES),
    ("floats", PICTURES),
    ("floats", PICTURES[:1]),
    ("floats", BYTES),
    ("floats", FLOATS / 16),
    ("floats", FLOATS * 2 - 1),
    ("large", FLOATS),
    ("large", FLOATS[:1]),
    ("large", BYTES),
    ("bytes", BYTES / 255),
    ("bytes", BYTES[5] / 255),
    ("bytes", BYTES / 127.5 - 1),
    ("bytes", BYTES * 255.0),
    ("plain-bytes", torch.from_numpy(BYTES).float() / 255),
]
TAKEN = [
    ("digits", PICTURES),
    ("digits", PICTURES.astype("uint8")),
    ("digits", PICTURES[7].astype("int64")),
    ("digits", PICTURES * 0),
    ("digits", PICTURES * 0.7),
    ("floats", FLOATS),
    ("floats", FLOATS * 0.5),
    ("floats", FLOATS * 1.4),
    ("floats", FLOATS * 0),
    ("large", PICTURES),
    ("large", PICTURES.astype("uint8")),
    ("bytes", BYTES),
    ("bytes", BYTES.astype("float32")),
    ("bytes", BYTES.astype("float32") * 0.9),
    ("bytes", DARK),
    ("bytes", DARK[:1]),
    ("bytes", BYTES * 0 + 255),
]


@pytest.mark.parametrize(("trained", "pictures"), REFUSED)
def test_pictures_on_another_scale_are_refused(trained: str, pictures: Any, language: str) -> None:
    with pytest.raises(UserError, match={"en": "on another scale", "zh": "量纲不同"}[language]):
        GREY[trained]().encode(pictures)


@pytest.mark.parametrize(("trained", "pictures"), TAKEN)
def test_ordinary_pictures_are_taken(trained: str, pictures: Any) -> None:
    data = GREY[trained]()
    assert data.encode(pictures).shape[1:] == data.sample_shape


@pytest.mark.parametrize("trained", ["digits", "floats", "bytes", "large"])
def test_every_sample_of_every_part_is_taken_alone(trained: str) -> None:
    raw = {"digits": PICTURES, "floats": FLOATS, "bytes": BYTES, "large": PICTURES}[trained]
    data = GREY[trained]()
    for picture in raw[::7]:
        data.encode(picture)


X = numpy.random.default_rng(0).normal(size=(200, 3)) * [1, 100, 1e-3]
Y = numpy.arange(200) % 2
FRAME = polars.DataFrame({"a": X[:, 0], "b": X[:, 1], "town": ["x", "y"] * 100, "y": ["p", "q"] * 100})


def remarks(data: Any, raw: Any) -> list[str]:
    return [remark.id for remark in Preprocessing.of(data).remarks(raw)]


def test_features_far_outside_are_told() -> None:
    arrays, table = load((X, Y)), load(FRAME, target="y")
    assert remarks(arrays, X) == []
    assert remarks(arrays, X * 3) == []
    assert remarks(arrays, X * [1, 1, 1000]) == ["data.far-outside"]
    assert remarks(table, FRAME) == []
    far = FRAME.with_columns(polars.col("b") * 1000)
    assert remarks(table, far) == ["data.far-outside"]
    (told,) = Preprocessing.of(table).remarks(far)
    assert "(features: b)" in str(told)


def test_flat_pixels_on_a_smaller_scale_are_told() -> None:
    data = load((DIGITS.data, DIGITS.target))
    assert remarks(data, DIGITS.data) == []
    assert remarks(data, DIGITS.data / 16) == ["data.smaller-scale"]
    assert remarks(data, DIGITS.data[0] / 255) == ["data.smaller-scale"]


@pytest.mark.parametrize("bad", [numpy.nan, numpy.inf])
def test_what_is_not_finite_is_refused(bad: float, language: str) -> None:
    wrong, words = X.copy(), {"en": "not finite", "zh": "不是有限数"}[language]
    wrong[2, 1] = bad
    with pytest.raises(UserError, match=words):
        load((X, Y)).encode(wrong)
    pictures = FLOATS.copy()
    pictures[1, 2, 3] = bad
    for trained in ("floats", "bytes"):
        with pytest.raises(UserError, match=words):
            GREY[trained]().encode(pictures)


def test_infinite_cells_of_a_table_are_refused() -> None:
    wrong = FRAME.with_columns(polars.lit(float("inf")).alias("a"))
    with pytest.raises(UserError, match="infinite values: 200"):
        load(FRAME, target="y").encode(wrong)
