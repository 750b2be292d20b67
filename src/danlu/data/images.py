"""Images with labels, as the readers hand them over, into a data set."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from danlu.base.errors import Fault
from danlu.data.dataset import Origin
from danlu.data.memory import MemoryDataset
from danlu.data.options import Options
from danlu.data.portions import Portion, carve, gather
from danlu.data.targets import Label, Labels, Quantities
from danlu.data.transform import Pixels, measure_pixels


@dataclass(frozen=True)
class Pool:
    """Images uint8 [N, C, H, W] and class indices int64 [N]."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Images:
    """What a reader of images gives: the training pool, the official test pool where there is one, the classes."""

    train: Pool
    test: Pool | None
    classes: tuple[Label, ...]
    peak: float = 255.0  # the brightest value a pixel can have


def image_dataset(name: str, images: Images, options: Options, origin: Origin) -> MemoryDataset:
    """Split what a reader gave; an official test part is kept."""
    pools = {"train": (images.train.images, images.train.labels)}
    if images.test:
        pools["test"] = (images.test.images, images.test.labels)
    portions = carve(pools, options)
    return pixel_dataset(name, portions, Labels(images.classes), options, peak=images.peak, origin=origin)


def pixel_dataset(
    name: str,
    portions: Mapping[str, Portion],
    target: Labels | Quantities,
    options: Options,
    *,
    peak: float = 255.0,
    origin: Origin | None = None,
    notes: tuple[Fault, ...] = (),
) -> MemoryDataset:
    """A data set of uint8 images, standardised by the training part's mean and deviation per channel."""
    x, y, sizes = gather(portions)
    channels = x.shape[1]
    mean, std = (0.0,) * channels, (1.0,) * channels
    if options.standardise is not False:
        mean, std = measure_pixels(x[: sizes["train"]], peak)
    shape = tuple(x.shape[1:])
    pixels = Pixels(shape, peak, mean, std)
    return MemoryDataset(
        name=name,
        sample_shape=shape,
        sizes=sizes,
        target=target,
        encoder=pixels,
        notes=notes,
        origin=origin or Origin(),
        x=x,
        y=y,
        pixels=pixels,
    )
