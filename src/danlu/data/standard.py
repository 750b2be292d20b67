"""What is done to a whole chunk of stored samples at once, on the device, to make it what the net takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.data.decode import Shape, fit_picture, pictures_in
from danlu.data.far_outside import Ranges, remarks
from danlu.data.layout import as_tensor
from danlu.data.ranges import refuse_other_scale
from danlu.data.transforms.pictures import resize

Transform = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Pixels:
    """uint8 images to (pixel / peak - mean) / std, per channel.

    Where they were read from files, these were brought to one size, and `white` is the value of pictures of more than 8
    bits that became 255: pictures in sizes of their own are taken then, too.

    >>> picture = torch.tensor([[0, 255]], dtype=torch.uint8)
    >>> Pixels((1, 1, 2), peak=255, mean=(0.5,), std=(0.5,)).encode(picture).tolist()
    [[[[-1.0, 1.0]]]]
    """

    sample_shape: tuple[int, ...]
    peak: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    came_as: tuple[int, ...] | None = None  # shape of a sample before it was resized
    ranges: Ranges | None = None  # of the training part's raw pictures
    white: float | None = None
    whole: bool = False  # pictures of other proportions are squeezed, not cut: every pixel is answered for

    def on(self, device: torch.device, dtype: torch.dtype, peak: float | None = None) -> Transform:
        """The transform for uint8 [B, C, H, W] on `device`: one product and one sum a pixel, in place. `peak` is given
        for pictures whose brightest value is another one.
        """
        std = torch.tensor(self.std, dtype=torch.float64)
        mean = torch.tensor(self.mean, dtype=torch.float64)
        factor = (1 / ((peak or self.peak) * std)).to(device, dtype).reshape(-1, 1, 1)
        offset = (-mean / std).to(device, dtype).reshape(-1, 1, 1)
        return lambda pixels: pixels.to(dtype, copy=True).mul_(factor).add_(offset)

    def encode(self, raw: Any) -> Tensor:
        """Images [N, H, W], [N, C, H, W] or [N, H, W, C], or one image without N, as float32 [N, C, H, W].

        They are of the size that the net takes, or of that which the data had before they were resized. UserError for
        pictures that are certainly on another scale.
        """
        images = as_tensor(self._fitted(raw))
        arranged = _arranged(images, self.sample_shape)
        if arranged is None and self.came_as is not None:
            arranged = _arranged(images, self.came_as)
        if arranged is None:
            fail("data.encode-shape", found=list(images.shape), wanted=list(self.came_as or self.sample_shape))
        refuse_not_finite(arranged)
        # Bytes of 0 to 255 are what everybody means by a picture, however dark it is.
        if self.ranges and not (arranged.dtype == torch.uint8 and self.peak == 255):
            refuse_other_scale(arranged, replace(self.ranges, low=(0.0,), high=(self.peak,)))
        if tuple(arranged.shape[1:]) != self.sample_shape:
            arranged = resize(arranged, *self.sample_shape[1:])
        return self.on(torch.device("cpu"), torch.float32)(arranged)

    def _fitted(self, raw: Any) -> Any:
        """Pictures of any size in the size of those trained on, where those came from files."""
        pictures = None if self.white is None else pictures_in(raw, self.sample_shape)
        if pictures is None:
            return raw
        channels, height, width = self.sample_shape
        shape = Shape(channels, height, width, self.white or 255.0, self.whole)
        return numpy.stack([fit_picture(picture, shape) for picture in pictures])

    def facts(self) -> dict[str, Any]:
        """Nothing where pixels are only brought to 0 … 1: that is no mean of theirs."""
        if not any(self.mean) and all(std == 1 for std in self.std):
            return {}
        return {"mean": list(self.mean), "std": list(self.std)}


def _arranged(images: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    """Images of `shape` (C, H, W), in whatever order they have it, as [N, C, H, W]; None where they are of another."""
    channels, height, width = shape
    channels_last = (height, width, channels)
    if tuple(images.shape) in (shape, channels_last, (height, width)):
        images = images.unsqueeze(0)
    if channels == 1 and tuple(images.shape[1:]) == (height, width):
        images = images.unsqueeze(1)
    elif tuple(images.shape[1:]) == channels_last != shape:
        images = images.permute(0, 3, 1, 2)
    return images if tuple(images.shape[1:]) == shape else None


@dataclass(frozen=True)
class Standard:
    """Numbers to (x - mean) / scale, feature by feature or channel by channel; None leaves them as they are. A feature
    that was constant when it was measured has an infinite scale: it is 0.
    """

    sample_shape: tuple[int, ...]
    mean: Tensor | None = None
    scale: Tensor | None = None
    ranges: Ranges | None = None  # of the training part's raw samples

    def encode(self, raw: Any) -> Tensor:
        """Samples [N, *sample_shape], or one sample without N, as float32. UserError for values that are not finite,
        and for pictures that are certainly on another scale.
        """
        x = self._samples(raw)
        if self.ranges and len(self.sample_shape) > 1:
            refuse_other_scale(x, self.ranges)
        return self.apply(x).to(torch.float32)

    def remarks(self, raw: Any) -> tuple[Fault, ...]:
        """What is to be told of features: see `danlu.data.ranges`."""
        if not self.ranges or len(self.sample_shape) != 1:
            return ()
        return remarks(self._samples(raw).numpy(), self.ranges)

    def _samples(self, raw: Any) -> Tensor:
        x = as_tensor(raw).to(torch.float64)
        if len(self.sample_shape) == 3 and tuple(x.shape) != self.sample_shape:
            arranged = _arranged(x, self.sample_shape)  # pictures without an axis for their channel, or with it last
            x = x if arranged is None else arranged
        if tuple(x.shape) == self.sample_shape:
            x = x.unsqueeze(0)
        elif self.sample_shape == (1,) and x.dim() == 1:
            x = x.unsqueeze(1)
        if tuple(x.shape[1:]) != self.sample_shape:
            fail("data.encode-shape", found=list(x.shape), wanted=list(self.sample_shape))
        refuse_not_finite(x)
        return x

    def apply(self, x: Tensor) -> Tensor:
        if self.mean is None or self.scale is None:
            return x
        return x.sub(self.mean).div_(self.scale)

    def facts(self) -> dict[str, Any]:
        if self.mean is None or self.scale is None:
            return {}
        std = torch.where(torch.isinf(self.scale), 0.0, self.scale)
        return {"mean": self.mean.flatten().tolist(), "std": std.flatten().tolist()}


def refuse_not_finite(x: Tensor) -> None:
    """UserError, with how many and the first, where samples [N, …] hold NaN or infinite values."""
    finite = torch.isfinite(x).flatten(1)
    if not finite.all():
        row, column = torch.nonzero(~finite)[0].tolist()
        fail("data.not-finite", count=int((~finite).sum()), row=row + 1, column=column + 1)


def measure_pixels(images: Tensor, peak: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation (over n) of each channel of uint8 [N, C, H, W], on the scale of 0 to 1."""
    channels = images.shape[1]
    total, squares = torch.zeros(channels, dtype=torch.float64), torch.zeros(channels, dtype=torch.float64)
    for chunk in images.split(2048):
        values = chunk.to(torch.float32).div_(peak)
        total += values.sum((0, 2, 3)).double()
        squares += values.square_().sum((0, 2, 3)).double()
    count = images.numel() // channels
    mean = total / count
    std = (squares / count - mean.square()).clamp_min(0).sqrt()
    return tuple(mean.tolist()), tuple(torch.where(std > 1e-6, std, 1.0).tolist())


def measure(x: Tensor, axes: tuple[int, ...] = (0,)) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (over n) along `axes`, float64, in a shape that a sample can be combined with.

    What varies by no more than its numbers' last digits is constant: its deviation is infinite, so that it becomes 0
    whatever a later sample holds.

    >>> measure(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))[1].tolist()
    [1.0, inf]
    """
    x, digits = x.double(), max(torch.finfo(x.dtype).eps, 1e-12)
    mean = x.mean(axes, keepdim=True).squeeze(0)
    std = x.std(axes, correction=0, keepdim=True).squeeze(0)
    return mean, torch.where(std > digits * mean.abs().clamp_min(1e-300), std, torch.inf)
