"""A folder of pictures into a data set: held in memory where it fits, streamed where not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import Fault, UserError, fail
from danlu.base.seeds import order
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.data.dataset import Builder, Dataset, Encoder, Origin, RawSamples, ReadSource
from danlu.data.decode import PictureHeader, Shape, common_shape, read_upright
from danlu.data.feeds import Feed, MapFeed
from danlu.data.folder.copies import contradictions, same_files, shared_pictures
from danlu.data.folder.decode_all import decode, read_heads
from danlu.data.folder.files import PictureFiles
from danlu.data.folder.mask_files import MaskListing, refuse_without_masks
from danlu.data.folder.mask_layouts import find_annotated
from danlu.data.folder.masks import mask_builder
from danlu.data.folder.scan import Listing, PictureFile, scan
from danlu.data.folder.store import Decided, keep, place_of, recall
from danlu.data.images import Images, Pool, image_dataset
from danlu.data.label_sets import LabelSets
from danlu.data.normalisation import fixed_statistics
from danlu.data.options import PICTURES, Options, refuse_unfit
from danlu.data.portions import carve
from danlu.data.standard import Pixels, measure_pixels
from danlu.data.stream import StreamDataset
from danlu.data.targets import Labels
from danlu.data.transforms.augment import Augmentation

# Pictures up to this size altogether are held in memory; above, they are decoded again in every epoch.
HELD_BYTES = 2 * 2**30
# From this many on, the user is told why nothing happens yet.
WORTH_TELLING = 1000
# As many pictures of a stream stand for all of them when brightness is measured.
MEASURED = 1000


def folder_builder(name: str, folder: Path, parts: Mapping[str, Path] | None = None, task: str = "auto") -> Builder:
    """Finds the pictures of `folder`, or of each part's folder; what comes back decodes them as its options ask. The
    `task` decides where a folder holds both masks and labels.
    """
    found = None if parts is not None else find_annotated(folder, task)
    if isinstance(found, MaskListing):
        return mask_builder(name, found)
    return listing_builder(name, found or scan(folder, parts))


def listing_builder(name: str, listing: Listing) -> ReadSource:
    """What makes a data set of pictures that have been found."""
    return ReadSource(partial(_build, name, listing), partial(_raw, listing))


def _raw(listing: Listing, numbers: list[int], encoder: Encoder) -> RawSamples:
    """Pictures by their numbers, upright, in the sizes that their files have, with the names of their classes."""
    assert isinstance(encoder, Pixels)
    pictures = [listing.pictures[number] for number in numbers]
    channels, height, width = encoder.sample_shape
    shape = Shape(channels, height, width, encoder.white or 255.0)
    read = [read_upright(picture.path, shape) for picture in pictures]
    faults = [one for one in read if isinstance(one, Fault)]
    if faults:
        raise UserError(*faults)
    told: list[Any] = [_labels(listing, picture) for picture in pictures]
    return RawSamples("pictures", read, told)


def _labels(listing: Listing, picture: PictureFile) -> "str | list[str]":
    """The class of a picture by its name, or the labels."""
    if not listing.sets:
        return listing.classes[picture.label]
    return [listing.classes[number] for number in listing.sets[picture.label]]


def _target(listing: Listing) -> Labels | LabelSets:
    if listing.sets:
        return LabelSets(listing.classes, separator=listing.separator)
    return Labels(listing.classes)


def _answers(listing: Listing, pictures: Sequence[PictureFile]) -> Tensor:
    """The numbers of the classes of pictures, int64 [N]; or which labels they have, float64 [N, L]."""
    labels = torch.tensor([picture.label for picture in pictures])
    if not listing.sets:
        return labels
    flags = torch.zeros(len(listing.sets), len(listing.classes), dtype=torch.float64)
    for place, own in enumerate(listing.sets):
        flags[place, list(own)] = 1.0
    return flags[labels]


def _build(name: str, listing: Listing, options: Options) -> Dataset:
    if isinstance(options.group, str) or isinstance(options.time, str):
        fail("data.no-columns", path=listing.folder)
    if options.task == "segmentation":
        refuse_without_masks(listing.folder)
    refuse_unfit(
        options, name, PICTURES, ("auto", "multi-label" if listing.sets else "classification", "reconstruction")
    )
    place = place_of(listing, options.image_size)
    kept = recall(place)
    if kept is None:
        paths = [picture.path for picture in listing.pictures]
        heads = read_heads(paths)
        groups = same_files(listing.pictures)
        decided = _decide(listing, heads, groups, options.image_size)
        if len(paths) * torch.Size(decided.shape.sample_shape).numel() > HELD_BYTES:
            return _streamed(name, listing, decided, groups, options)
        if len(paths) >= WORTH_TELLING:
            tell(say("data.decoding", path=listing.folder, count=len(paths)))
        kept = decode(paths, decided.shape), decided
        keep(place, *kept)
    pixels, decided = kept
    pools: dict[str, Pool] = {}
    first = 0
    for part, pictures in listing.parts.items():
        pools[part] = Pool(pixels[first : first + len(pictures)], _answers(listing, pictures))
        first += len(pictures)
    images = Images(
        pools["train"],
        pools.get("test"),
        listing.classes,
        validation=pools.get("validation"),
        notes=_notes(listing, decided),
        white=decided.shape.white,
        target=_target(listing),
        whole=decided.shape.whole,
    )
    return image_dataset(name, images, options, Origin(str(listing.folder)))


def _decide(listing: Listing, heads: list[PictureHeader], groups: list[list[int]], side: int | None) -> Decided:
    shape = replace(common_shape(heads, side), whole=bool(listing.sets))  # each object counts, also at the border
    pairs = contradictions(listing.pictures, groups)
    return Decided(
        shape=shape,
        count=len(heads),
        sizes=len({(head.height, head.width) for head in heads}),
        resized=sum((head.height, head.width) != (shape.height, shape.width) for head in heads),
        grey=sum(head.grey for head in heads),
        transparent=sum(head.transparent for head in heads),
        several=sum(head.several for head in heads),
        deep=sum(head.brightest is not None for head in heads),
        cut=sum(head.cut for head in heads),
        contradicting=len(pairs),
        contradiction=tuple(str(path.relative_to(listing.folder)) for path in pairs[0]) if pairs else (),
    )


def _notes(listing: Listing, decided: Decided) -> tuple[Fault, ...]:
    notes: list[Fault] = []
    shape = decided.shape
    if decided.resized:
        values = {"count": decided.resized, "sizes": decided.sizes, "height": shape.height, "width": shape.width}
        notes.append(Fault("data.resized-whole" if shape.whole else "data.resized", values))
    if 0 < decided.grey < decided.count:
        values = {"grey": decided.grey, "colour": decided.count - decided.grey}
        grey = shape.channels == 1
        notes.append(Fault("data.taken-as-grey", values) if grey else Fault("data.taken-as-colour", values))
    if decided.transparent:
        notes.append(Fault("data.transparency-dropped", {"count": decided.transparent}))
    if decided.several:
        notes.append(Fault("data.first-of-several", {"count": decided.several}))
    if decided.deep:
        notes.append(Fault("data.brought-to-8-bits", {"count": decided.deep, "white": f"{shape.white:g}"}))
    if decided.cut:
        notes.append(Fault("data.upper-8-bits", {"count": decided.cut}))
    if decided.contradicting:
        first, second = decided.contradiction
        values = {"count": decided.contradicting, "first": first, "second": second}
        notes.append(Fault("data.same-picture-two-classes", values))
    return (*notes, *listing.notes)


def _streamed(
    name: str, listing: Listing, decided: Decided, groups: list[list[int]], options: Options
) -> StreamDataset:
    """The split is drawn over the pictures' numbers."""
    pictures = listing.pictures
    labels = _answers(listing, pictures)
    counts = [len(part) for part in listing.parts.values()]
    numbers = zip(torch.arange(len(pictures)).split(counts), labels.split(counts), strict=True)
    portions = carve(dict(zip(listing.parts, numbers, strict=True)), options)
    rows = {part: one.x if one.rows is None else one.x[one.rows] for part, one in portions.items() if len(one)}
    augmentation = Augmentation.of(options.augment, decided.shape.sample_shape)
    answers = labels.to(torch.float32) if listing.sets else [listing.classes[picture.label] for picture in pictures]
    files = PictureFiles(pictures, answers, decided.shape)
    feeds: dict[str, Feed] = {part: MapFeed(files, chosen, options.workers) for part, chosen in rows.items()}
    own = None
    if augmentation and augmentation.callables:
        through = PictureFiles(pictures, answers, decided.shape, augmentation.callables)
        own = MapFeed(through, rows["train"], options.workers)
    measured = min(MEASURED, len(rows["train"]))
    some = rows["train"][order(len(rows["train"]), 0, 0)[:measured]]
    pixels = _plain(decided.shape)
    if fixed := fixed_statistics(options, decided.shape.channels):
        pixels = replace(pixels, mean=fixed[0], std=fixed[1])
    elif options.standardise is not False:
        shown = decode([pictures[row].path for row in some.tolist()], decided.shape)
        pixels = replace(pixels, **dict(zip(("mean", "std"), measure_pixels(shown, 255.0), strict=True)))
    streamed = Fault("data.streamed", {"count": measured, "limit": HELD_BYTES // 2**30})
    notes = (*_notes(listing, decided), *shared_pictures(listing, groups, rows), streamed)
    return StreamDataset(
        name=name,
        sample_shape=decided.shape.sample_shape,
        sizes={part: len(rows.get(part, ())) for part in ("train", "validation", "test")},
        target=_target(listing),
        encoder=pixels,
        notes=notes,
        origin=Origin(str(listing.folder)),
        feeds=feeds,
        pixels=pixels,
        augmentation=augmentation,
        own_feed=own,
    )


def _plain(shape: Shape) -> Pixels:
    nothing, one = (0.0,) * shape.channels, (1.0,) * shape.channels
    return Pixels(shape.sample_shape, 255.0, nothing, one, white=shape.white, whole=shape.whole)
