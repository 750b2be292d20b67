"""Decoded pictures kept in the cache folder, so that they are decoded once and not once a training."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import StorageError
from danlu.base.files import absolute, put_folder
from danlu.base.places import cache_folder
from danlu.base.strict_json import to_json
from danlu.data.dataset import checksum, digest
from danlu.data.decode import Shape
from danlu.data.folder.scan import Listing
from danlu.data.kept_folders import FACTS, forget, make_room, used

# Goes up when the same files would be decoded into other bytes.
VERSION = 2
PIXELS = "pixels"


@dataclass(frozen=True)
class Decided:
    """What all pictures were brought to, and what they were before: the numbers that notes are made of."""

    shape: Shape
    count: int
    sizes: int  # different sizes
    resized: int
    grey: int
    transparent: int
    several: int = 0
    deep: int = 0  # of more than 8 bits a pixel, in one channel
    cut: int = 0  # of more than 8 bits in each of several channels
    # Files of one content in different classes, and the paths of the first two.
    contradicting: int = 0
    contradiction: tuple[str, ...] = ()


def place_of(listing: Listing, side: int | None) -> Path:
    """Where the bytes of exactly these files lie, or would lie."""
    files = [(str(picture.path), picture.size, picture.changed) for picture in listing.pictures]
    # A table's classes may change while the files stay.
    classes = ([picture.label for picture in listing.pictures], *listing.sets) if listing.by_table else ()
    folder = digest(str(absolute(listing.folder)))
    return cache_folder() / "pictures" / folder / f"{digest(VERSION, files, *classes)}-{side or 'own'}"


def recall(place: Path) -> tuple[Tensor, Decided] | None:
    """What `keep` put at `place`; None where nothing, or nothing whole, is there."""
    try:
        facts: dict[str, Any] = json.loads((place / FACTS).read_text(encoding="utf-8"))
        sums = facts.pop("checksum")
        decided = Decided(Shape(**facts.pop("shape")), **facts)
        total = decided.count * torch.Size(decided.shape.sample_shape).numel()
        if (place / PIXELS).stat().st_size != total:
            return None
        pixels = torch.from_file(str(place / PIXELS), shared=False, size=total, dtype=torch.uint8)
        if checksum(pixels) != sums:
            return None
    except (OSError, ValueError, TypeError, KeyError):
        return None
    used(place)
    return pixels.view(decided.count, *decided.shape.sample_shape), decided


def keep(place: Path, pixels: Tensor, decided: Decided) -> bool:
    """Put the pictures at `place`, and forget those of the same folder as it was before, in whatever size; False where
    the disk refuses: the pictures are in memory, and are decoded again another time.
    """
    files = place.name.partition("-")[0]
    there = list(place.parent.iterdir()) if place.parent.is_dir() else []
    before = [old for old in there if old.name.partition("-")[0] != files]
    array: Any = pixels.numpy()
    content: Any = memoryview(array).cast("B")
    try:
        facts = {**asdict(decided), "checksum": checksum(pixels)}
        make_room(content.nbytes)
        put_folder(place, {PIXELS: content, FACTS: to_json(facts).encode()})
    except StorageError:
        return False
    forget(before)
    return True
