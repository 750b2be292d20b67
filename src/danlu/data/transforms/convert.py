"""Between Pillow's pictures and tensors, as torchvision's ToTensor and ToPILImage do it, without torchvision."""

import sys
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail

_SIXTEEN_BITS = "I;16" if sys.byteorder == "little" else "I;16B"
_WIDE = {"I": numpy.int32, _SIXTEEN_BITS: numpy.int16, "F": numpy.float32}
_ONE_CHANNEL = {"uint8": "L", "int16": _SIXTEEN_BITS, "int32": "I", "float32": "F"}
_MODES = {1: ("L", _SIXTEEN_BITS, "I", "F"), 2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}


def to_tensor(picture: Any) -> Tensor:
    """A Pillow picture, or an array [H, W] or [H, W, C], as a tensor [C, H, W].

    Bytes (modes L, LA, P, RGB, RGBA, CMYK, 1 …; uint8 arrays) become float from 0 to 1; all else keeps its numbers:
    mode I is int32, I;16 int16, F and float arrays float32 or what they are, not divided again.

    >>> to_tensor(numpy.array([[0, 255], [255, 0]], dtype=numpy.uint8)).tolist()
    [[[0.0, 1.0], [1.0, 0.0]]]
    """
    mode = getattr(picture, "mode", None)
    if isinstance(picture, numpy.ndarray):
        pixels = picture
    elif isinstance(mode, str):
        pixels = numpy.array(picture, dtype=_WIDE.get(mode), copy=True)
    else:
        fail("data.not-a-picture", found=type(picture).__name__)
    if pixels.ndim not in (2, 3):
        fail("data.picture-rank", found=list(pixels.shape))
    if mode == "1":
        pixels = pixels.astype(numpy.uint8) * 255
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    tensor = torch.from_numpy(numpy.ascontiguousarray(pixels.transpose(2, 0, 1)))
    return tensor.to(torch.get_default_dtype()).div_(255) if tensor.dtype == torch.uint8 else tensor


def to_image(pixels: Any, mode: str | None = None) -> Any:
    """A tensor [H, W] or [C, H, W], or an array [H, W] or [H, W, C], as a Pillow picture.

    Float tensors from 0 to 1 are multiplied by 255 and cut to bytes (but for mode F). Without `mode` one channel is L
    (uint8), I;16 (int16), I (int32) or F (float32); two are LA, three RGB, four RGBA.

    >>> to_image(torch.tensor([[0.0, 1.0]])).mode
    'L'
    """
    import PIL.Image

    if isinstance(pixels, Tensor) and pixels.dim() in (2, 3):
        pixels = pixels.detach().cpu()
        pixels = pixels.unsqueeze(0) if pixels.dim() == 2 else pixels
        if pixels.is_floating_point() and mode != "F":
            pixels = pixels.mul(255).to(torch.uint8)
        array: Any = pixels.permute(1, 2, 0).numpy()
    elif isinstance(pixels, numpy.ndarray):
        array = pixels[:, :, None] if pixels.ndim == 2 else pixels
    else:
        fail("data.not-a-picture", found=type(pixels).__name__)
    if array.ndim != 3 or array.shape[2] not in _MODES:
        fail("data.picture-rank", found=list(pixels.shape))
    channels = array.shape[2]
    usual = _ONE_CHANNEL.get(array.dtype.name) if channels == 1 else None
    if channels > 1 and array.dtype == numpy.uint8:
        usual = _MODES[channels][0]
    allowed = (usual,) if channels == 1 and usual else _MODES[channels]
    if usual is None or mode not in (None, *allowed):
        fail("data.picture-mode", mode=mode or "-", channels=channels, dtype=array.dtype, wanted=", ".join(allowed))
    return _picture(PIL.Image, numpy.ascontiguousarray(array[:, :, 0] if channels == 1 else array), mode or usual)


def _picture(pillow: Any, array: "numpy.ndarray[Any, Any]", mode: str) -> Any:
    """Pillow takes the mode from an array's type, but for the few modes that share one."""
    if mode == _SIXTEEN_BITS:
        return pillow.fromarray(array.view(numpy.uint16))
    picture = pillow.fromarray(array)
    if picture.mode == mode:
        return picture
    return pillow.frombytes(mode, picture.size, array.tobytes())
