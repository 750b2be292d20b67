"""Pictures that a user wants answers for: files, folders, those that a table lists, Pillow's; what only they need is
imported with them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import Fault, Faults
from danlu.data.decode import Shape, common_shape, read_picture
from danlu.data.folder.decode_all import decode, each_file, read_heads
from danlu.data.folder.mask_files import MaskListing
from danlu.data.folder.mask_layouts import find_masks
from danlu.data.folder.masks import read_one
from danlu.data.place_labels import PixelLabels
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.data.standard import Pixels, Standard
from danlu.data.table.frames import table_of
from danlu.data.table.to_predict import Columns
from danlu.ship.portions import listed_portions, picture_portions
from danlu.ship.right_answers import answer_columns, column_targets, folder_targets, mask_targets
from danlu.ship.rows import Rows

_PICTURES_AT_ONCE = 256
_MASKS_AT_ONCE = 32  # each pixel of which has a number a class


def picture_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """A picture, or those in a folder and below it, with the right answers where their folders say so."""
    if isinstance(fitted.target, PixelLabels) and path.is_dir() and (listing := find_masks(path)):
        yield from _masked_rows(path, listing, fitted)
        return
    at_once = _MASKS_AT_ONCE if fitted.task == "segmentation" else _PICTURES_AT_ONCE
    for portion in picture_portions(path, at_once):
        targets = folder_targets(portion.places, fitted)
        yield Rows(str(path), portion.places, encode_pictures(portion.raw, fitted), targets)


def listed_rows(path: Path, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """The pictures whose paths stand in a table, with the right answers where the table has them."""
    for listed in listed_portions(path, options, fitted.name, _PICTURES_AT_ONCE):
        names = answer_columns(listed.sheet, listed.target(target), fitted)
        targets = column_targets(table_of(listed.sheet), names, fitted) if names else None
        portion = listed.portion
        yield Rows(str(path), portion.places, encode_pictures(portion.raw, fitted), targets, remarks=portion.remarks)


def _masked_rows(path: Path, listing: MaskListing, fitted: Preprocessing) -> Iterator[Rows]:
    """The pictures of a folder that has their masks as well, which are the right answers."""
    for first in range(0, len(listing.pairs), _MASKS_AT_ONCE):
        pairs = listing.pairs[first : first + _MASKS_AT_ONCE]
        places = [str(picture.relative_to(path)) for picture, _ in pairs]
        encoded = encode_pictures([picture for picture, _ in pairs], fitted)
        masks = each_file([mask for _, mask in pairs], read_one)
        yield Rows(str(path), places, encoded, mask_targets(masks, fitted), remarks=() if first else listing.notes)


def encode_pictures(pictures: Sequence[Any], fitted: Preprocessing) -> Tensor:
    """Picture files (Path), or Pillow's pictures, brought to the size and the channels that the net takes, encoded.

    UserError with all that cannot be read.
    """
    channels, height, width = (1, *fitted.sample_shape)[-3:]
    whole = isinstance(fitted.encoder, Pixels) and fitted.encoder.whole
    shape = Shape(channels, height, width, whole=whole)
    white = fitted.encoder.white if isinstance(fitted.encoder, Pixels) else None
    files = [picture for picture in pictures if isinstance(picture, Path)]
    whites = iter([white or common_shape([head], None).white for head in read_heads(files)])
    read: list[Tensor] = []
    faults = Faults()
    for number, picture in enumerate(pictures, start=1):
        if isinstance(picture, Path):
            read.append(decode([picture], replace(shape, white=next(whites))))
            continue
        found = read_picture(picture, white, shape, f"#{number}")
        if isinstance(found, Fault):
            faults.add("ship.item", number=number, what=found)
        else:
            read.append(torch.from_numpy(found.copy())[None])
    faults.raise_if_any()
    pixels = torch.cat(read)
    if isinstance(fitted.encoder, Pixels):
        return fitted.encoder.on(torch.device("cpu"), torch.float32, peak=255.0)(pixels)
    assert isinstance(fitted.encoder, Standard)
    ranges = fitted.encoder.ranges
    scaled = pixels.double() / 255 if ranges is None or ranges.bounds[1] <= 1 else pixels
    return fitted.encode(scaled.reshape(len(scaled), *fitted.sample_shape))
