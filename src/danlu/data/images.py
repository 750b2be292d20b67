"""Images with labels, as the readers hand them over, into a data set."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from danlu.base.errors import Fault
from danlu.data.dataset import Origin
from danlu.data.label_sets import LabelSets, unmet
from danlu.data.memory import MemoryDataset
from danlu.data.normalisation import fixed_statistics
from danlu.data.options import PICTURES, Options, refuse_unfit
from danlu.data.place_labels import PixelLabels, told_of_masks
from danlu.data.portions import Portion, carve, gather, shared_rows, source_numbers
from danlu.data.ranges import measure_ranges
from danlu.data.standard import Pixels, measure_pixels
from danlu.data.targets import Label, Labels, Quantities
from danlu.data.transforms.augment import Augmentation
from danlu.data.transforms.pictures import nearest, resize

# Pictures that are resized at once: as floats, few enough to stay in the processor's cache.
RESIZED_AT_ONCE = 256


@dataclass(frozen=True)
class Pool:
    """Images uint8 [N, C, H, W] and class indices int64 [N]."""

    images: Tensor
    labels: Tensor  # or masks int64 [N, H, W], or which labels, float64 [N, L], where there is a `target` of their own


@dataclass(frozen=True)
class Images:
    """What a reader of images gives: the training pool, the official test pool where there is one, the classes."""

    train: Pool
    test: Pool | None
    classes: tuple[Label, ...]
    peak: float = 255.0  # the brightest value a pixel can have
    validation: Pool | None = None
    notes: tuple[Fault, ...] = ()
    white: float | None = None  # of picture files: see Pixels
    target: Labels | PixelLabels | LabelSets | None = None  # what the numbers in masks mean, or the labels
    whole: bool = False  # see Pixels


def image_dataset(name: str, images: Images, options: Options, origin: Origin) -> MemoryDataset:
    """Split what a reader gave; official parts are kept."""
    target = images.target or Labels(images.classes)
    tasks = ("auto", target.task, *(() if isinstance(target, PixelLabels) else ("reconstruction",)))
    refuse_unfit(options, name, PICTURES, tasks)
    pools = {"train": (images.train.images, images.train.labels)}
    if images.validation:
        pools["validation"] = (images.validation.images, images.validation.labels)
    if images.test:
        pools["test"] = (images.test.images, images.test.labels)
    portions = carve(pools, options)
    made = pixel_dataset(
        name,
        portions,
        target,
        options,
        peak=images.peak,
        origin=origin,
        notes=images.notes,
        numbers=source_numbers(pools, portions),
        white=images.white,
        whole=images.whole,
    )
    if isinstance(target, LabelSets):
        made = replace(made, notes=(*made.notes, *unmet(made.y, target, made.sizes["train"])))
    return made


def pixel_dataset(
    name: str,
    portions: Mapping[str, Portion],
    target: Labels | LabelSets | PixelLabels | Quantities,
    options: Options,
    *,
    peak: float = 255.0,
    origin: Origin | None = None,
    notes: tuple[Fault, ...] = (),
    numbers: Tensor | None = None,
    white: float | None = None,
    whole: bool = False,
) -> MemoryDataset:
    """A data set of uint8 images, standardised by the training part's mean and deviation per channel; masks are resized
    along with them.
    """
    refuse_unfit(options, name, PICTURES)
    x, y, sizes = gather(portions)
    shared = shared_rows(portions, x, y)
    channels, came = x.shape[1], tuple(x.shape[1:])
    if options.image_size is not None:
        x = _squares(x, options.image_size)
        y = nearest(y, options.image_size, options.image_size) if isinstance(target, PixelLabels) else y
    mean, std = (0.0,) * channels, (1.0,) * channels
    if fixed := fixed_statistics(options, channels):
        mean, std = fixed
    elif options.standardise is not False:
        mean, std = measure_pixels(x[: sizes["train"]], peak)
    shape = tuple(x.shape[1:])
    ranges = measure_ranges(x[: sizes["train"]])
    pixels = Pixels(shape, peak, mean, std, None if came == shape else came, ranges, white, whole)
    augmentation = Augmentation.of(options.augment, shape)
    if isinstance(target, PixelLabels):
        notes = (*told_of_masks(y, target, sizes["train"]), *notes)
        if augmentation:
            augmentation.refuse_for_masks()
    return MemoryDataset(
        name=name,
        sample_shape=shape,
        sizes=sizes,
        target=target,
        encoder=pixels,
        notes=(*notes, *shared),
        origin=origin or Origin(),
        numbers=numbers,
        x=x,
        y=y,
        pixels=pixels,
        augmentation=augmentation,
        workers=options.workers,
    )


def _squares(pictures: Tensor, side: int) -> Tensor:
    """Pictures uint8 [N, C, H, W] as squares [N, C, side, side]."""
    if pictures.shape[2:] == (side, side):
        return pictures
    squares = torch.empty((*pictures.shape[:2], side, side), dtype=pictures.dtype)
    for place, some in zip(squares.split(RESIZED_AT_ONCE), pictures.split(RESIZED_AT_ONCE), strict=True):
        place.copy_(resize(some, side, side))
    return squares
