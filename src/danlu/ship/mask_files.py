"""Predicted masks as files: a PNG for each picture, whose pixels' values are the classes; without torch."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault
from danlu.base.files import replace_file
from danlu.base.naming import listed
from danlu.base.places import shown
from danlu.data.decode import read_head

_MOST_TOLD = 30
_LARGEST = 255  # of a PNG with a palette


@dataclass(eq=False)
class MaskFiles:
    """Writes masks into `folder`, each under the name of its picture and in its size; they are PNGs with a palette, so
    that classes are told apart by eye, and the value of a pixel is the class as the training masks had it: one of
    `values`, which are called `titles` where that is known.
    """

    folder: Path
    values: Sequence[int | bool]
    titles: Sequence[str] = ()
    alone: str = ""  # what the one mask is to be called, where there is one
    written: set[str] = field(default_factory=set[str])

    def write(self, file: Path, places: Sequence[str], masks: Sequence[Any]) -> None:
        """The `masks` of some pictures of a file, or of a folder, where these stand at `places`. StorageError where the
        disk refuses.
        """
        for place, mask in zip(places, masks, strict=True):
            source = _source(file, place)
            path = self.folder / self.alone if self.alone else self._free(place, source, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, _png(_in_size(numpy.asarray(mask), source)))

    def told(self) -> Fault:
        """What the values mean, once all is written."""
        named = [str(int(value)) for value in self.values]
        if self.titles:
            named = [f"{value}: {title}" for value, title in zip(named, self.titles, strict=False)]
        values = listed(named, _MOST_TOLD)
        return Fault(
            "ship.masks-written",
            {"count": max(1, len(self.written)), "path": shown(self.folder / self.alone), "values": values},
        )

    def _free(self, place: str, source: Path | None, file: Path) -> Path:
        """a.png for a.jpg; a.jpg.png where a.png was the mask of another picture."""
        name = Path(place or file.name) if source is not None else Path(f"{file.stem}-{place}")
        short = name.with_suffix(".png") if source is not None else Path(f"{name}.png")
        chosen = short if str(short) not in self.written else Path(f"{name}.png")
        self.written.add(str(chosen))
        return self.folder / chosen


def _source(file: Path, place: str) -> Path | None:
    """The picture's own file; None for a row of an array."""
    found = file / place if file.is_dir() else file
    return found if found.is_file() and (file.is_dir() or not place) else None


def _in_size(mask: "numpy.ndarray[Any, Any]", source: Path | None) -> "numpy.ndarray[Any, Any]":
    head = None if source is None else read_head(source)
    if head is None or isinstance(head, Fault) or mask.shape == (head.height, head.width):
        return mask
    return nearest_pixels(mask, head.height, head.width)


def nearest_pixels(mask: "numpy.ndarray[Any, Any]", height: int, width: int) -> "numpy.ndarray[Any, Any]":
    """A mask [H, W] in another size, as `danlu.data.transforms.pictures.nearest` makes it.

    >>> nearest_pixels(numpy.array([[1, 2], [3, 4]]), 1, 4).tolist()
    [[3, 3, 4, 4]]
    """
    rows, columns = (
        ((numpy.arange(wanted, dtype=numpy.float32) + 0.5) * numpy.float32(found / wanted)).astype(numpy.int64)
        for wanted, found in ((height, mask.shape[0]), (width, mask.shape[1]))
    )
    return mask[rows.clip(max=mask.shape[0] - 1)][:, columns.clip(max=mask.shape[1] - 1)]


def _png(mask: "numpy.ndarray[Any, Any]") -> bytes:
    from PIL import Image

    if mask.max(initial=0) > _LARGEST:
        picture = Image.fromarray(mask.astype(numpy.uint16))
    else:
        picture = Image.fromarray(mask.astype(numpy.uint8)).convert("L")
        picture.putpalette(palette())
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def palette() -> list[int]:
    """Red, green, blue of 256 values, neighbours far apart: that of PASCAL VOC, 0 black.

    >>> palette()[:6]
    [0, 0, 0, 128, 0, 0]
    """
    colours: list[int] = []
    for value in range(_LARGEST + 1):
        for channel in range(3):
            bits = [(value >> (3 * place + channel) & 1) << (7 - place) for place in range(3)]
            colours.append(sum(bits))
    return colours
