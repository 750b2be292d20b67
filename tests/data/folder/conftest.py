"""Folders of small pictures, made on the spot."""

from collections.abc import Callable
from pathlib import Path

import numpy
import PIL.Image
import pytest

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Saves a picture of one colour, or of an array, under the folder "pictures"."""

    def save(name: str, colour: object = 0, size: tuple[int, int] = (8, 8), mode: str = "RGB", **how: object) -> Path:
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(colour, numpy.ndarray):
            picture = PIL.Image.fromarray(colour)
        else:
            picture = PIL.Image.new(mode, size, colour)  # type: ignore[arg-type]
        picture.save(path, **how)  # type: ignore[arg-type]
        return path

    return save


@pytest.fixture
def pictures(save: Save, tmp_path: Path) -> Path:
    """Two classes of ten PNG pictures, 8 × 8: cats of brightness 10 to 19, dogs of 200 to 209."""
    for number in range(10):
        save(f"cat/{number}.png", (10 + number,) * 3)
        save(f"dog/{number}.png", (200 + number,) * 3)
    return tmp_path / "pictures"
