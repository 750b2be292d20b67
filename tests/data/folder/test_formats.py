"""Every usual format is read, and what is lost of a picture is told."""

from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import Dataset, load

KEPT: dict[str, Any] = {"validation": 0, "test": 0, "standardise": False}


def notes(data: Dataset) -> dict[str, dict[str, Any]]:
    return {note.id: note.values for note in data.notes}


def first_pixels(data: Dataset) -> list[float]:
    x, _ = next(data.batches("train", 100, device=torch.device("cpu")))
    return (x[:, 0, 0, 0] * 255).tolist()


@pytest.mark.parametrize("ending", ["png", "webp", "bmp", "tif", "tiff", "gif"])
def test_a_class_of_another_format_is_a_class(save: Any, pictures: Path, ending: str) -> None:
    for number in range(10):
        save(f"bird/{number}.{ending}", (100, 100, 100), **({"lossless": True} if ending == "webp" else {}))
    data = load(pictures, **KEPT)
    assert data.classes == ("bird", "cat", "dog")
    assert [round(value) for value in first_pixels(data)].count(100) == 10
    assert "data.other-files" not in notes(data)


@pytest.mark.parametrize("ending", ["gif", "webp", "tiff", "png"])
def test_the_first_of_several_pictures_is_taken_and_told(save: Any, pictures: Path, ending: str) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), (level, 0, 0)) for level in (60, 200, 90)]
    how = {"lossless": True} if ending == "webp" else {}
    frames[0].save(pictures / "cat" / f"moving.{ending}", save_all=True, append_images=frames[1:], **how)
    data = load(pictures, **KEPT)
    assert notes(data)["data.first-of-several"] == {"count": 1}
    assert 60 in [round(value) for value in first_pixels(data)]


@pytest.mark.parametrize(
    ("brightest", "white"), [(199, 255), (1000, 1023), (4000, 4095), (16000, 16383), (60000, 65535)]
)
@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_sixteen_bits_keep_their_range(save: Any, tmp_path: Path, brightest: int, white: int, ending: str) -> None:
    for number in range(4):
        array = numpy.full((8, 8), brightest // (number + 1), numpy.uint16)
        save(f"{number % 2}/{number}.{ending}", array)
    data = load(tmp_path / "pictures", **KEPT)
    assert data.sample_shape == (1, 8, 8)
    wanted = sorted(brightest // (number + 1) * 255 / white for number in range(4))
    assert sorted(first_pixels(data)) == pytest.approx(wanted, abs=0.51)
    assert notes(data)["data.brought-to-8-bits"] == {"count": 4, "white": str(white)}
    again = load(tmp_path / "pictures", **KEPT)  # from the cache
    assert (again.fingerprint(), notes(again)) == (data.fingerprint(), notes(data))


def test_floats_from_0_to_1_keep_their_range(save: Any, tmp_path: Path) -> None:
    for number in range(4):
        save(f"{number % 2}/{number}.tiff", numpy.full((8, 8), number / 4, numpy.float32))
    assert sorted(first_pixels(load(tmp_path / "pictures", **KEPT))) == pytest.approx([0, 64, 128, 191], abs=0.51)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_values_that_are_no_brightness_are_refused(save: Any, pictures: Path, value: float, language: str) -> None:
    save("cat/odd.tiff", numpy.full((8, 8), value, numpy.float32))
    words = {"en": "odd.tiff: some of its pixels are negative or not finite", "zh": "odd.tiff：有像素为负数或非有限值"}
    with pytest.raises(UserError, match=words[language]):
        load(pictures)


def test_colour_of_sixteen_bits_is_told(save: Any, pictures: Path) -> None:
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + struct.pack(">24H", *[0x4321] * 24) for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    file = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (pictures / "cat" / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + file)
    data = load(pictures, **KEPT)
    assert notes(data)["data.upper-8-bits"] == {"count": 1}
    assert 0x43 in [round(value) for value in first_pixels(data)]
