"""Small archives of pictures, as WebDataset writes them."""

import io
import tarfile
from pathlib import Path

import numpy
from PIL import Image

CLASSES = ("red", "green", "blue")


def picture(number: int, form: str = "PNG") -> bytes:
    """A small picture of one colour."""
    random = numpy.random.default_rng(number)
    pixels = random.integers(0, 60, (12, 12, 3), dtype=numpy.uint8)
    pixels[..., number % 3] += 150
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def write_shards(folder: Path, archives: int, count: int = 60) -> None:
    """So many pictures of three colours, with their classes by name, in so many archives."""
    folder.mkdir(parents=True, exist_ok=True)
    each = count // archives
    for shard in range(archives):
        with tarfile.open(folder / f"shard-{shard:06}.tar", "w") as tar:
            for number in range(shard * each, (shard + 1) * each):
                add(tar, f"{number:04}.png", picture(number))
                add(tar, f"{number:04}.cls", CLASSES[number % 3].encode())
