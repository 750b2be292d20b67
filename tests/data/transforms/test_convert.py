"""Between pictures and tensors: what torchvision's ToTensor and ToPILImage promise, mode by mode."""

from typing import Any

import numpy
import PIL.Image
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from danlu.base.errors import UserError
from danlu.data.transforms import to_image, to_tensor

BYTES = arrays.arrays(
    numpy.uint8,
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 3, 4])),
    elements=st.integers(0, 255),
)


@given(BYTES)
def test_bytes_come_back_exactly(pixels: numpy.ndarray[Any, Any]) -> None:
    tensor = to_tensor(pixels)
    assert (tensor.dtype, tuple(tensor.shape)) == (torch.float32, pixels.transpose(2, 0, 1).shape)
    assert 0 <= tensor.min() <= tensor.max() <= 1
    picture = to_image(tensor)
    assert picture.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    assert numpy.array_equal(numpy.asarray(picture).reshape(pixels.shape), pixels)
    assert torch.equal(to_tensor(picture), tensor)


def test_every_byte_comes_back() -> None:
    pixels = numpy.arange(256, dtype=numpy.uint8).reshape(16, 16)
    assert torch.equal(to_tensor(pixels), torch.arange(256).reshape(1, 16, 16) / 255)
    assert numpy.array_equal(numpy.asarray(to_image(to_tensor(pixels))), pixels)


@pytest.mark.parametrize(
    ("mode", "value", "dtype", "wanted"),
    [
        ("1", 1, torch.float32, 1.0),
        ("L", 51, torch.float32, 51 / 255),
        ("I", 70_000, torch.int32, 70_000),
        ("I;16", 300, torch.int16, 300),
        ("F", 0.25, torch.float32, 0.25),
    ],
)
def test_modes_of_one_channel(mode: str, value: float, dtype: torch.dtype, wanted: float) -> None:
    tensor = to_tensor(PIL.Image.new(mode, (3, 2), value))
    assert (tensor.dtype, tuple(tensor.shape)) == (dtype, (1, 2, 3))
    assert torch.equal(tensor, torch.full((1, 2, 3), wanted, dtype=dtype))


@pytest.mark.parametrize(
    ("pixels", "mode", "wanted"),
    [
        (torch.full((2, 3), 300, dtype=torch.int16), None, "I;16"),
        (torch.full((1, 2, 3), 70_000, dtype=torch.int32), None, "I"),
        (torch.full((1, 2, 3), 0.25), "F", "F"),
        (torch.full((1, 2, 3), 0.25), None, "L"),
        (numpy.full((2, 3), 0.25, numpy.float32), None, "F"),
        (torch.zeros(3, 2, 3, dtype=torch.uint8), "HSV", "HSV"),
        (torch.zeros(3, 2, 3, dtype=torch.uint8), "YCbCr", "YCbCr"),
        (torch.zeros(4, 2, 3, dtype=torch.uint8), "CMYK", "CMYK"),
        (torch.zeros(4, 2, 3, dtype=torch.uint8), "RGBX", "RGBX"),
        (numpy.zeros((2, 3, 2), numpy.uint8), None, "LA"),
    ],
)
def test_modes_of_pictures_made(pixels: Any, mode: str | None, wanted: str) -> None:
    picture = to_image(pixels, mode)
    assert (picture.mode, picture.size) == (wanted, (3, 2))
    if wanted in ("I;16", "I", "F"):
        first = pixels.flatten()[0] if isinstance(pixels, torch.Tensor) else pixels[0, 0]
        assert picture.getpixel((0, 0)) == first


def test_floats_are_not_divided_again() -> None:
    pixels = numpy.array([[[0.5, 2.0]]], dtype=numpy.float64)
    assert torch.equal(to_tensor(pixels), torch.tensor([[[0.5]], [[2.0]]], dtype=torch.float64))


def test_a_tensor_made_of_a_picture_has_memory_of_its_own() -> None:
    pixels = numpy.zeros((2, 2), numpy.uint8)
    tensor = to_tensor(pixels)
    pixels[0, 0] = 255
    assert tensor[0, 0, 0] == 0


@pytest.mark.parametrize(
    ("make", "english", "chinese"),
    [
        (lambda: to_tensor([[1]]), "type list is not an image", "list 类型的值不是图像"),
        (lambda: to_tensor(numpy.zeros(3)), r"shape \[3\]", r"形状是 \[3\]"),
        (lambda: to_image("x"), "type str is not an image", "str 类型的值不是图像"),
        (lambda: to_image(torch.zeros(5, 2, 2)), r"shape \[5, 2, 2\]", r"形状是 \[5, 2, 2\]"),
        (lambda: to_image(torch.zeros(3, 2, 2), "L"), "3 channels .* mode L; there are RGB", "不能用模式 L"),
        (lambda: to_image(torch.zeros(1, 2, 2, dtype=torch.int64)), "int64 cannot take the mode -", "int64"),
    ],
)
def test_what_is_no_picture_is_refused(make: Any, english: str, chinese: str, language: str) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        make()
