"""Where a COCO folder keeps its annotations and its pictures."""

import re
from collections.abc import Iterator
from pathlib import Path

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.input_files import path_kind
from danlu.data.folder.coco.annotations import Annotations, DrawnMask, Entry, parsed, read_annotations
from danlu.data.folder.mask_files import PICTURES, MaskListing, some_of
from danlu.data.folder.scan import raise_first
from danlu.data.parts import part_of

_FOLDER = "annotations"
# annotations.json alone, instances_train2017.json for a part, and as Roboflow exports them into the folder of a part.
_NAMES = re.compile(r"(annotations|_annotations\.coco|instances([-_](?P<part>[a-z]+))?[-_]?\d*)\.json", re.IGNORECASE)


def find_coco(folder: Path) -> MaskListing | None:
    """The pictures of a folder with the masks that its files of annotations draw; None where there is no such file.

    UserError where one is damaged, two are for one part or name other categories, or pictures are not there.
    """
    read: dict[str, tuple[Path, Entry]] = {}
    for path, part in _files(folder):
        content = parsed(path)
        if content is not None:
            if part in read:
                fail("data.coco-two-files", part=part, first=read[part][0], second=path)
            read[part] = path, content
    if not read:
        return None
    if "train" not in read:
        if len(read) > 1:
            fail("data.coco-no-train", path=folder, parts=", ".join(read))
        read = {"train": next(iter(read.values()))}
    faults, told = Faults(), dict[str, Annotations]()
    for part, (path, content) in read.items():
        with faults.gathered():
            told[part] = read_annotations(path, content)
    raise_first(faults)
    titles = told["train"].titles
    for part, one in told.items():
        if one.titles != titles:
            fail("data.coco-categories", path=read[part][0], other=read["train"][0])
    parts = {part: _pairs(folder, read[part][0], one, faults) for part, one in told.items()}
    raise_first(faults)
    return MaskListing(folder, parts, titles, _notes(list(told.values())))


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files of annotations with the part that each is for; one that names none is for the training part."""
    places = [(folder, "train"), (folder / _FOLDER, "train")]
    places += [(path, part) for path in _inside(folder) if (part := part_of(path.name)) and path_kind(path) == "folder"]
    for place, of_place in places:
        for path in _inside(place):
            found = _NAMES.fullmatch(path.name)
            if found and path_kind(path) == "file":
                yield path, part_of(found["part"] or "") or of_place


def _inside(folder: Path) -> list[Path]:
    if path_kind(folder) != "folder":
        return []
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UserError(Fault("data.unreadable", {"path": folder, "reason": error.strerror or error})) from None


def _pairs(folder: Path, file: Path, told: Annotations, faults: Faults) -> list[tuple[Path, DrawnMask]]:
    """Each picture where it is found: beside the file, in the folder, in one of pictures, or in one called as the file
    says (instances_train2017.json: train2017).
    """
    places = [file.parent, folder]
    places += [place / name for place in (file.parent, folder) for name in PICTURES]
    places += [place / file.stem.partition("_")[2] for place in tuple(places[1:])]
    there = [place for place in dict.fromkeys(places) if path_kind(place) == "folder"]
    pairs: list[tuple[Path, DrawnMask]] = []
    lacking: list[Path] = []
    for name, mask in told.masks.items():
        found = next((place / name for place in there if path_kind(place / name) == "file"), None)
        if found is None:
            lacking.append(folder / name)
        else:
            pairs.append((found, mask))
    if lacking:
        faults.add("data.coco-no-picture", path=file, count=len(lacking), examples=some_of(lacking, folder))
    elif not pairs:
        faults.add("data.masks-without-pictures", path=file)
    return pairs


def _notes(told: list[Annotations]) -> tuple[Fault, ...]:
    notes = [Fault("data.coco-overlaps")]
    if empty := sum(one.empty for one in told):
        notes.append(Fault("data.coco-empty", {"count": empty}))
    if crowds := sum(one.crowds for one in told):
        notes.append(Fault("data.coco-crowds", {"count": crowds}))
    return tuple(notes)
