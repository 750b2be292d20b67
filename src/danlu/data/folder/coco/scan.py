"""Where a COCO folder keeps its annotations and its pictures."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class CocoFile:
    """A file of annotations, and the object in it."""

    path: Path
    content: Entry


def coco_files(folder: Path) -> dict[str, CocoFile]:
    """The files of annotations of a folder by their parts, none where there is no such file. UserError where one is
    damaged, or two are for one part.
    """
    read: dict[str, CocoFile] = {}
    for path, part in _files(folder):
        content = parsed(path)
        if content is not None:
            if part in read:
                fail("data.coco-two-files", part=part, first=read[part].path, second=path)
            read[part] = CocoFile(path, content)
    if read and "train" not in read:
        if len(read) > 1:
            fail("data.coco-no-train", path=folder, parts=", ".join(read))
        read = {"train": next(iter(read.values()))}
    return read


def masks_of_coco(folder: Path, files: Mapping[str, CocoFile]) -> MaskListing:
    """The pictures of a folder with the masks that its files of annotations draw. UserError with all that is wrong with
    the files, where they name other categories, or pictures are not there.
    """
    faults, told = Faults(), dict[str, Annotations]()
    for part, file in files.items():
        with faults.gathered():
            told[part] = read_annotations(file.path, file.content)
    raise_first(faults)
    same_titles(files, {part: one.titles for part, one in told.items()})
    parts = {part: _pairs(folder, files[part].path, one, faults) for part, one in told.items()}
    raise_first(faults)
    return MaskListing(folder, parts, told["train"].titles, _notes(list(told.values())))


def same_titles(files: Mapping[str, CocoFile], titles: Mapping[str, tuple[str, ...]]) -> None:
    """UserError where a part has other categories than the training part."""
    for part, own in titles.items():
        if own != titles["train"]:
            fail("data.coco-categories", path=files[part].path, other=files["train"].path)


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
    found = found_pictures(folder, file, list(told.masks), faults)
    return [(path, told.masks[name]) for name, path in found.items()]


def found_pictures(folder: Path, file: Path, names: Sequence[str], faults: Faults) -> dict[str, Path]:
    """Each picture where it is found: beside the file, in the folder, in one of pictures, or in one called as the file
    says (instances_train2017.json: train2017).
    """
    places = [file.parent, folder]
    places += [place / name for place in (file.parent, folder) for name in PICTURES]
    places += [place / file.stem.partition("_")[2] for place in tuple(places[1:])]
    there = [place for place in dict.fromkeys(places) if path_kind(place) == "folder"]
    paths: dict[str, Path] = {}
    lacking: list[Path] = []
    for name in names:
        found = next((place / name for place in there if path_kind(place / name) == "file"), None)
        if found is None:
            lacking.append(folder / name)
        else:
            paths[name] = found
    if lacking:
        faults.add("data.coco-no-picture", path=file, count=len(lacking), examples=some_of(lacking, folder))
    elif not paths:
        faults.add("data.masks-without-pictures", path=file)
    return paths


def _notes(told: list[Annotations]) -> tuple[Fault, ...]:
    notes = [Fault("data.coco-overlaps")]
    if empty := sum(one.empty for one in told):
        notes.append(Fault("data.coco-empty", {"count": empty}))
    if crowds := sum(one.crowds for one in told):
        notes.append(Fault("data.coco-crowds", {"count": crowds}))
    return tuple(notes)
