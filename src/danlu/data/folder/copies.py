"""Picture files of one content, found by their bytes."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from torch import Tensor

from danlu.base.errors import Fault
from danlu.base.seeds import cores
from danlu.data.folder.scan import Listing, PictureFile
from danlu.data.parts import PARTS
from danlu.data.tar_member import PicturePath


def same_files(pictures: Sequence[PictureFile]) -> list[list[int]]:
    """The places in `pictures` of files of one content, two or more in a group; only files of one size are read."""
    by_size: dict[int, list[int]] = defaultdict(list)
    for place, picture in enumerate(pictures):
        by_size[picture.size].append(place)
    places = [place for same in by_size.values() if len(same) > 1 for place in same]
    with ThreadPoolExecutor(cores()) as pool:
        keys = list(pool.map(_key, [pictures[place].path for place in places]))
    by_content: dict[bytes, list[int]] = defaultdict(list)
    for place, key in zip(places, keys, strict=True):
        if key is not None:
            by_content[key].append(place)
    return [same for same in by_content.values() if len(same) > 1]


def contradictions(
    pictures: Sequence[PictureFile], groups: Sequence[Sequence[int]]
) -> list[tuple[PicturePath, PicturePath]]:
    """Of each group of one content whose pictures are of different classes, two that contradict each other."""
    pairs: list[tuple[PicturePath, PicturePath]] = []
    for group in groups:
        first = pictures[group[0]]
        other = next((pictures[place] for place in group if pictures[place].label != first.label), None)
        if other:
            pairs.append((first.path, other.path))
    return pairs


def shared_pictures(listing: Listing, groups: Sequence[Sequence[int]], rows: Mapping[str, Tensor]) -> tuple[Fault, ...]:
    """A note where pictures of the validation or test part also stand in the training part; `rows` (int64) are the
    places in the listing's pictures that each part has.
    """
    pictures = listing.pictures
    train = set(rows["train"].tolist())
    twin = {place: other for group in groups for place in group for other in group if other in train}
    notes: list[Fault] = []
    for part in PARTS[1:]:
        held = rows[part].tolist() if part in rows else []
        twice = [place for place in held if place in twin]
        if twice:
            pairs = [f"{_name(listing, pictures[p])} = {_name(listing, pictures[twin[p]])}" for p in twice[:3]]
            values = {"part": part, "count": len(twice), "total": len(held), "examples": ", ".join(pairs)}
            notes.append(Fault("data.shared-rows", values))
    return tuple(notes)


def _name(listing: Listing, picture: PictureFile) -> str:
    return str(picture.path.relative_to(listing.folder))


def _key(path: PicturePath) -> bytes | None:
    """None for a file that cannot be read: decoding it tells why."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except (OSError, EOFError):
        return None
