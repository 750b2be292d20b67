"""A folder of pictures and masks into a data set."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, UserError, fail
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.data.dataset import Builder, Dataset, Encoder, Origin, RawSamples, ReadSource
from danlu.data.decode import PictureHeader, Shape, common_shape, read_mask, read_upright
from danlu.data.folder.decode_all import decode, each_file, read_heads
from danlu.data.folder.mask_files import MaskListing, MaskSource
from danlu.data.images import pixel_dataset
from danlu.data.options import PICTURES, Options, refuse_unfit
from danlu.data.place_labels import read_masks
from danlu.data.portions import carve, source_numbers
from danlu.data.standard import Pixels
from danlu.data.transforms.pictures import nearest

# Pictures and masks up to this size altogether are held in memory.
HELD_BYTES = 2 * 2**30
WORTH_TELLING = 1000


def mask_builder(name: str, listing: MaskListing) -> Builder:
    """What decodes pictures and masks that have been found as its options ask."""
    return ReadSource(partial(_build, name, listing), partial(_raw, listing))


def _build(name: str, listing: MaskListing, options: Options) -> Dataset:
    if isinstance(options.group, str) or isinstance(options.time, str):
        fail("data.no-columns", path=listing.folder)
    refuse_unfit(options, name, PICTURES, ("auto", "segmentation"))
    pictures = [picture for picture, _ in listing.pairs]
    heads = read_heads(pictures)
    found = common_shape(heads, options.image_size)
    shape = Shape(found.channels, found.height, found.width, found.white, whole=True)
    needed = len(pictures) * (torch.Size(shape.sample_shape).numel() + 8 * shape.height * shape.width)
    if needed > HELD_BYTES:
        gib = {"needed": f"{needed / 2**30:.1f}", "limit": HELD_BYTES // 2**30}
        fail("data.masks-too-large", count=len(pictures), height=shape.height, width=shape.width, **gib)
    if len(pictures) >= WORTH_TELLING:
        tell(say("data.decoding-masks", path=listing.folder, count=len(pictures)))
    masks = each_file(list(zip(listing.pairs, heads, strict=True)), lambda one: _mask(*one, shape))
    place = Fault("data.place-masks", {"path": listing.folder})
    y, target = read_masks(torch.stack(masks).numpy(), place, listing.titles)
    sizes = [len(part) for part in listing.parts.values()]
    x = decode(pictures, shape)
    pools = dict(zip(listing.parts, zip(x.split(sizes), y.split(sizes), strict=True), strict=True))
    portions = carve(pools, options)
    return pixel_dataset(
        name,
        portions,
        target,
        replace(options, image_size=None),  # they have their size already
        origin=Origin(str(listing.folder)),
        notes=(*_resized(heads, shape), *listing.notes),
        numbers=source_numbers(pools, portions),
        white=shape.white,
        whole=True,
    )


def _mask(pair: tuple[Path, Path | MaskSource], head: PictureHeader, shape: Shape) -> Tensor | Fault:
    picture, source = pair
    wanted = head.height, head.width
    if not isinstance(source, Path) and source.sides != wanted:  # before memory is taken for it
        return _of_other_size(source.path, source.sides, picture, wanted)
    mask = read_one(source)
    if isinstance(mask, Fault):
        return mask
    if mask.shape != wanted:
        return _of_other_size(source if isinstance(source, Path) else source.path, mask.shape, picture, wanted)
    return _in_size(mask, shape)


def _of_other_size(path: Path, found: tuple[int, ...], picture: Path, wanted: tuple[int, int]) -> Fault:
    sides = {"found": f"{found[1]}×{found[0]}", "wanted": f"{wanted[1]}×{wanted[0]}"}
    return Fault("data.mask-size", {"path": path, "picture": picture, **sides})


def read_one(source: Path | MaskSource) -> "Any | Fault":
    """A mask as whole numbers [H, W], or what is wrong with it."""
    return read_mask(source) if isinstance(source, Path) else source.read()


def _in_size(mask: Any, shape: Shape) -> Tensor:
    return nearest(torch.from_numpy(mask.astype(numpy.int32))[None], shape.height, shape.width)[0]


def _resized(heads: list[PictureHeader], shape: Shape) -> tuple[Fault, ...]:
    resized = sum((head.height, head.width) != (shape.height, shape.width) for head in heads)
    if not resized:
        return ()
    sizes = len({(head.height, head.width) for head in heads})
    return (
        Fault("data.masks-resized", {"count": resized, "sizes": sizes, "height": shape.height, "width": shape.width}),
    )


def _raw(listing: MaskListing, numbers: list[int], encoder: Encoder) -> RawSamples:
    """Pictures by their numbers, upright, in the sizes that their files have, with their masks in the net's size."""
    assert isinstance(encoder, Pixels)
    channels, height, width = encoder.sample_shape
    shape = Shape(channels, height, width, encoder.white or 255.0, whole=True)
    pairs = [listing.pairs[number] for number in numbers]
    read = [read_upright(picture, shape) for picture, _ in pairs]
    masks = [read_one(mask) for _, mask in pairs]
    if faults := [one for one in (*read, *masks) if isinstance(one, Fault)]:
        raise UserError(*faults)
    told = [_in_size(mask, shape).tolist() for mask in masks if not isinstance(mask, Fault)]
    return RawSamples("pictures", read, told)
