"""One picture file into bytes, through Pillow: JPEG and PNG only, and nothing that would unfold into gigabytes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault

FORMATS = ("JPEG", "PNG")
GREY = ("L", "LA", "1", "I", "I;16", "I;16B", "F")
ORIENTATION = 0x0112
MOST_USUAL_SIDE = 224


@dataclass(frozen=True)
class Head:
    """What a file says of its picture before it is decoded; the sizes are those after turning it upright."""

    height: int
    width: int
    grey: bool
    transparent: bool


@dataclass(frozen=True)
class Shape:
    """What all pictures are brought to: the sides in pixels, and 1 channel or 3."""

    channels: int
    height: int
    width: int

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width


def common_shape(heads: Sequence[Head], side: int | None) -> Shape:
    """Squares of `side`, else the most frequent size, made smaller where its longer side is above 224; grey where more
    than half are grey.
    """
    channels = 1 if 2 * sum(head.grey for head in heads) > len(heads) else 3
    if side is not None:
        return Shape(channels, side, side)
    (height, width), _ = Counter((head.height, head.width) for head in heads).most_common(1)[0]
    scale = min(1.0, MOST_USUAL_SIDE / max(height, width))
    return Shape(channels, max(1, round(height * scale)), max(1, round(width * scale)))


def read_head(path: Path) -> Head | Fault:
    """The head of the picture in `path`, or what is wrong with it."""

    def head(picture: Any) -> Head:
        width, height = picture.size
        if picture.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        transparent = "A" in picture.mode or "transparency" in picture.info
        return Head(height, width, picture.mode in GREY, transparent)

    return _opened(path, head)


def read_pixels(path: Path, shape: Shape) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint8]] | Fault":
    """The picture in `path`, upright, as uint8 [C, H, W], or what is wrong with it.

    A picture of other proportions is cut at its longer sides.
    """

    def pixels(picture: Any) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint8]]":
        return _pixels(picture, shape)

    return _opened(path, pixels)


def _pixels(picture: Any, shape: Shape) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint8]]":
    pillow, operations = _pillow()
    if picture.format == "JPEG":
        # Large pictures are decoded at a half, a quarter or an eighth where that is still larger than what is wanted.
        side = max(shape.height, shape.width)
        picture.draft(None, (side, side))
    picture = operations.exif_transpose(picture)
    if picture.mode.startswith("I"):
        # 16 bits a pixel: the upper eight are kept, where Pillow would cut off at 255.
        picture = pillow.fromarray((numpy.asarray(picture).astype(numpy.int64) >> 8).clip(0, 255).astype(numpy.uint8))
    mode = "L" if shape.channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    if picture.size != (shape.width, shape.height):
        picture = operations.fit(picture, (shape.width, shape.height), pillow.Resampling.BILINEAR)
    array = numpy.asarray(picture)
    return array[None] if shape.channels == 1 else array.transpose(2, 0, 1)


def _opened(path: Path, use: Any) -> Any:
    pillow, _ = _pillow()
    try:
        with pillow.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            # Pillow itself refuses twice this number of pixels, and only warns below.
            if width * height > (pillow.MAX_IMAGE_PIXELS or 2**63):
                return Fault("data.picture-bomb", {"path": path, "limit": _limit()})
            return use(picture)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        return Fault("data.picture-bomb", {"path": path, "limit": _limit()})
    except pillow.UnidentifiedImageError:
        return Fault("data.not-jpeg-png", {"path": path})
    except OSError as error:
        if error.errno:
            return Fault("data.unreadable", {"path": path, "reason": error.strerror or error})
        return Fault("data.picture-damaged", {"path": path, "reason": error})
    except (SyntaxError, ValueError, EOFError, ArithmeticError, LookupError) as error:
        # What Pillow's parsers raise over files that are cut off or forged.
        return Fault("data.picture-damaged", {"path": path, "reason": error})


def _limit() -> int:
    return (_pillow()[0].MAX_IMAGE_PIXELS or 0) // 10**6


@cache
def _pillow() -> Any:
    import PIL.Image
    import PIL.ImageOps

    return PIL.Image, PIL.ImageOps
