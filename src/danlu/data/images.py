"""Images with labels, as the readers hand them over, into a data set."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from danlu.base.errors import Fault
from danlu.data.dataset import Origin
from danlu.data.memory import MemoryDataset
from danlu.data.options import Options
from danlu.data.portions import Portion, carve, gather, shared_rows
from danlu.data.standard import Pixels, measure_pixels
from danlu.data.targets import Label, Labels, Quantities
from danlu.data.transforms.augment import Augmentation


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
    validation: Pool | None = None
    notes: tuple[Fault, ...] = ()


def image_dataset(name: str, images: Images, options: Options, origin: Origin) -> MemoryDataset:
    """Split what a reader gave; official parts are kept."""
    pools = {"train": (images.train.images, images.train.labels)}
    if images.validation:
        pools["validation"] = (images.validation.images, images.validation.labels)
    if images.test:
        pools["test"] = (images.test.images, images.test.labels)
    portions = carve(pools, options)
    target = Labels(images.classes)
    return pixel_dataset(name, portions, target, options, peak=images.peak, origin=origin, notes=images.notes)


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
        notes=(*notes, *shared_rows(portions, x, y)),
        origin=origin or Origin(),
        x=x,
        y=y,
        pixels=pixels,
        augmentation=Augmentation.of(options.augment, shape),
        workers=options.workers,
    )
