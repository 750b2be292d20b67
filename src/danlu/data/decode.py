"""One picture file into bytes, through Pillow: the usual formats only, and nothing that would unfold into gigabytes."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy

from danlu.base.errors import Fault
from danlu.data.tar_member import PicturePath

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
DEEP = ("I", "I;16", "I;16B", "I;16L", "F")  # one channel of more than 8 bits
GREY = ("L", "LA", "1", *DEEP)
ORIENTATION = 0x0112
MOST_USUAL_SIDE = 224

Bytes = numpy.ndarray[Any, numpy.dtype[numpy.uint8]]


@dataclass(frozen=True)
class PictureHeader:
    """What a file says of its picture before it is decoded; the sizes are those after turning it upright."""

    height: int
    width: int
    grey: bool
    transparent: bool
    several: bool  # an animation or pages, of which the first picture is taken
    brightest: float | None  # the largest value of a picture of more than 8 bits a pixel
    cut: bool  # colour of 16 bits a channel, of which Pillow gives the upper 8


@dataclass(frozen=True)
class Shape:
    """What all pictures are brought to: the sides in pixels, and 1 channel or 3; and the value that becomes 255 where a
    picture has more than 8 bits a pixel.
    """

    channels: int
    height: int
    width: int
    white: float = 255.0
    whole: bool = False  # squeezed to these sides, nothing cut away

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width


def common_shape(heads: Sequence[PictureHeader], side: int | None) -> Shape:
    """Squares of `side`, else the most frequent size, made smaller where its longer side is above 224; grey where more
    than half are grey.
    """
    channels = 1 if 2 * sum(head.grey for head in heads) > len(heads) else 3
    white = _white(max((head.brightest for head in heads if head.brightest is not None), default=0.0))
    if side is not None:
        return Shape(channels, side, side, white)
    (height, width), _ = Counter((head.height, head.width) for head in heads).most_common(1)[0]
    scale = min(1.0, MOST_USUAL_SIDE / max(height, width))
    return Shape(channels, max(1, round(height * scale)), max(1, round(width * scale)), white)


def _white(brightest: float) -> float:
    """The end of the range that values up to `brightest` come from: cameras and scanners fill 8, 10, 12, 14 or 16 bits,
    and floats often lie in 0 … 1.

    >>> [_white(value) for value in (0.7, 199, 3000, 60000)]
    [1.0, 255.0, 4095.0, 65535.0]
    """
    return next((end for end in (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0) if brightest <= end), brightest)


def is_picture(raw: Any) -> bool:
    """Whether `raw` is one of Pillow's pictures, without importing it."""
    return hasattr(raw, "getexif") and hasattr(raw, "mode") and hasattr(raw, "convert")


def read_picture(picture: Any, white: float | None, shape: Shape, name: str) -> "Bytes | Fault":
    """One of Pillow's pictures as uint8 [C, H, W], upright and brought to `shape`, or what is wrong with it; `white` is
    that of deep pictures where it is known.
    """
    try:
        picture = picture.copy()  # the user's own stays as it is, also where it has not been read yet
        if picture.mode in DEEP:
            deep = numpy.asarray(picture)
            if not _is_brightness(deep):
                return Fault("data.picture-values", {"path": name})
            shape = replace(shape, white=white or _white(float(deep.max())))
        return _array(_fit(_upright(picture, shape), shape))
    except (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, LookupError) as error:
        return Fault("data.picture-damaged", {"path": name, "reason": error})


def read_head(path: PicturePath) -> PictureHeader | Fault:
    """The head of the picture in `path`, or what is wrong with it."""

    def head(picture: Any) -> PictureHeader | Fault:
        # A photograph with a preview or a depth map beside it (MPO) is one picture.
        several = picture.format not in ("JPEG", "MPO") and getattr(picture, "is_animated", False)
        cut = picture.mode not in DEEP and any(";16" in str(tile[3]) for tile in picture.tile)
        brightest = None
        if picture.mode in DEEP:
            deep = numpy.asarray(picture)
            if not _is_brightness(deep):
                return Fault("data.picture-values", {"path": path})
            brightest = float(deep.max())
        width, height = picture.size
        if picture.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        return PictureHeader(
            height,
            width,
            grey=picture.mode in GREY,
            transparent="A" in picture.mode or "transparency" in picture.info,
            several=several,
            brightest=brightest,
            cut=cut,
        )

    return _opened(path, head)


def read_pixels(path: PicturePath, shape: Shape) -> "Bytes | Fault":
    """The picture in `path`, upright, as uint8 [C, H, W], or what is wrong with it.

    A picture of other proportions is cut at its longer sides.
    """
    return _read(path, shape, lambda picture: _array(_fit(picture, shape)))


def read_upright(path: PicturePath, shape: Shape) -> "Bytes | Fault":
    """The picture in `path` as `read_pixels` gives it, before it is brought to the size of `shape`."""
    return _read(path, shape, _array)


def read_mask(path: Path) -> "numpy.ndarray[Any, Any] | Fault":
    """The mask in `path` as whole numbers [H, W]: the numbers of a palette's colours, or grey values as they are; or
    what is wrong with it.
    """

    def numbers(picture: Any) -> "numpy.ndarray[Any, Any] | Fault":
        values = numpy.asarray(picture)
        if values.ndim == 3 and picture.mode in ("LA", "PA"):
            values = values[..., 0]
        if values.ndim == 3:
            if (values[..., :3] != values[..., :1]).any():
                return Fault("data.mask-colours", {"path": path, "mode": picture.mode})
            values = values[..., 0]
        if values.dtype.kind == "f":
            return Fault("data.mask-colours", {"path": path, "mode": picture.mode})
        return values.astype(numpy.int64) if values.dtype.kind == "i" else values.astype(numpy.uint16)

    return _opened(path, numbers)


def _read(path: PicturePath, shape: Shape, use: Callable[[Any], Bytes]) -> "Bytes | Fault":
    def read(picture: Any) -> "Bytes | Fault":
        if picture.mode in DEEP and not _is_brightness(numpy.asarray(picture)):
            return Fault("data.picture-values", {"path": path})
        return use(_upright(picture, shape))

    return _opened(path, read)


def _is_brightness(values: "numpy.ndarray[Any, Any]") -> bool:
    return bool(numpy.isfinite(values).all() and values.min() >= 0)


def _upright(picture: Any, shape: Shape) -> Any:
    """The picture turned upright, in the mode that is wanted, of 8 bits a channel."""
    pillow, operations = _pillow()
    if picture.format == "JPEG":
        # Large pictures are decoded at a half, a quarter or an eighth where that is still larger than what is wanted.
        side = max(shape.height, shape.width)
        picture.draft(None, (side, side))
    picture = operations.exif_transpose(picture)
    if picture.mode in DEEP:  # Pillow would cut off at 255
        values = numpy.asarray(picture).astype(numpy.float64) * (255 / shape.white)
        picture = pillow.fromarray(values.round().clip(0, 255).astype(numpy.uint8))
    mode = "L" if shape.channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    return picture


def _fit(picture: Any, shape: Shape) -> Any:
    """A picture in its mode at the wanted size; one of other proportions is cut at its longer sides, unless it
    is to stay `whole`."""
    pillow, operations = _pillow()
    if picture.size != (shape.width, shape.height) and shape.whole:
        picture = picture.resize((shape.width, shape.height), pillow.Resampling.BILINEAR)
    elif picture.size != (shape.width, shape.height):
        picture = operations.fit(picture, (shape.width, shape.height), pillow.Resampling.BILINEAR)
    return picture


def _array(picture: Any) -> Bytes:
    array = numpy.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def is_bytes(raw: Any) -> bool:
    """Whether `raw` is one picture as an array uint8: [H, W], [C, H, W] or [H, W, C]."""
    array = isinstance(raw, numpy.ndarray) and raw.dtype == numpy.uint8
    return array and (raw.ndim == 2 or (raw.ndim == 3 and {raw.shape[0], raw.shape[2]} & {1, 3} != set()))


def pictures_in(raw: Any, sample_shape: Sequence[int]) -> list[Bytes] | None:
    """The pictures of any size in a list, or in one array uint8 that has not the size of `sample_shape` (C, H, W): one
    picture, or several [N, …]. None for all else, and where an array may mean either.

    >>> [one.shape for one in pictures_in(numpy.zeros((2, 5, 7, 3), numpy.uint8), (3, 8, 8)) or []]
    [(5, 7, 3), (5, 7, 3)]
    """
    found: Any = raw
    if isinstance(raw, numpy.ndarray) and raw.dtype == numpy.uint8:
        channels, height, width = sample_shape
        colours = raw.ndim == 3 and bool({raw.shape[0], raw.shape[2]} & {1, 3})
        if (height, width) in (raw.shape[-2:], raw.shape[-3:-1]) or (colours and channels == 1):
            return None
        found = [raw] if raw.ndim == 2 or colours else [*raw]
    several = isinstance(found, list | tuple) and all(is_bytes(one) for one in cast(list[Any], found))
    return [*cast(list[Bytes], found)] if several and len(cast(list[Any], found)) else None


def fit_picture(raw: Bytes, shape: Shape) -> Bytes:
    """A picture in bytes, such as `read_upright` gives, as uint8 [C, H, W] in the size that is wanted.

    >>> fit_picture(numpy.zeros((3, 40, 60), dtype=numpy.uint8), Shape(1, 8, 8)).shape
    (1, 8, 8)
    """
    pillow, _ = _pillow()
    if raw.ndim == 3:
        raw = raw.transpose(1, 2, 0) if raw.shape[0] in (1, 3) else raw
        raw = raw[..., 0] if raw.shape[2] == 1 else raw
    return _array(_fit(_upright(pillow.fromarray(numpy.ascontiguousarray(raw)), shape), shape))


def _opened(path: PicturePath, use: Any) -> Any:
    pillow, _ = _pillow()
    try:
        with pillow.open(path if isinstance(path, Path) else path.open(), formats=FORMATS) as picture:
            width, height = picture.size
            # Pillow itself refuses twice this number of pixels, and only warns below.
            if width * height > (pillow.MAX_IMAGE_PIXELS or 2**63):
                return Fault("data.picture-bomb", {"path": path, "limit": _limit()})
            return use(picture)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        return Fault("data.picture-bomb", {"path": path, "limit": _limit()})
    except pillow.UnidentifiedImageError:
        return Fault("data.not-a-known-picture", {"path": path})
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
