"""What a COCO file of annotations says: its pictures, their regions and the categories of these, all of it checked."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.input_files import guarded, read_file
from danlu.base.naming import listed
from danlu.base.strict_json import to_json
from danlu.data.folder.coco.regions import Pixels, drawn, region
from danlu.data.folder.scan import MOST_TOLD, raise_first

GROUND = "background"
VOID = 255  # where only a crowd is, and nobody drew the single ones
_LISTS = ("images", "annotations", "categories")

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class DrawnMask:
    """The mask of one picture, drawn when it is read; `regions` are the numbers of annotations with their segmentations
    and the value that their pixels get, None for a crowd.
    """

    path: Path
    sides: tuple[int, int]  # height and width
    regions: tuple[tuple[Any, Any, int | None], ...]

    def read(self) -> "Any | Fault":
        """uint8 [H, W], or what is wrong with a region."""
        layers: list[tuple[Pixels, int]] = []
        crowds: list[Pixels] = []
        for number, segmentation, value in self.regions:
            try:
                inside = region(segmentation, *self.sides)
            except UserError as error:
                return Fault("data.coco-region", {"path": self.path, "number": number, "what": error.faults[0]})
            if value is None:
                crowds.append(inside)
            else:
                layers.append((inside, value))
        return drawn(layers, *self.sides, crowds, VOID)


@dataclass(frozen=True)
class Annotations:
    """A file's pictures by the names of their files, and the names of the classes, the ground first. `empty` is how
    many pictures have no region, `crowds` how many regions are of a crowd.
    """

    titles: tuple[str, ...]
    masks: dict[str, DrawnMask]
    empty: int
    crowds: int


@dataclass
class CocoPicture:
    """A picture of a file of annotations with what is drawn in it."""

    name: str
    sides: tuple[int, int]
    regions: list[tuple[Any, Any, int | None]] = field(default_factory=list[tuple[Any, Any, int | None]])


def parsed(path: Path) -> Entry | None:
    """The object in a JSON file, None where it holds no lists of images and of annotations. UserError where it is no
    JSON.
    """
    with guarded(path, "data.coco-json"):
        read = json.loads(read_file(path))
    if not isinstance(read, dict) or not {"images", "annotations"} <= cast(dict[str, Any], read).keys():
        return None
    return cast(Entry, read)


def read_annotations(path: Path, content: Entry) -> Annotations:
    """What the object in the file `path` says. UserError with all that is wrong with it, of very much the first."""
    refuse_no_lists(path, content)
    faults = Faults()
    values, titles = _values(path, categories_of(path, content["categories"], faults), faults)
    pictures = pictures_of(path, content["images"], faults)
    crowds = 0
    for number, entry in references(path, content, pictures, values, faults):
        crowd = entry.get("iscrowd") in (1, True)
        crowds += crowd
        value = None if crowd else values[entry["category_id"]]
        segmentation = entry.get("segmentation")
        if not segmentation:
            faults.add("data.coco-boxes", path=path, number=number)
        pictures[entry["image_id"]].regions.append((number, segmentation, value))
    raise_first(faults)
    masks = {one.name: DrawnMask(path, one.sides, tuple(one.regions)) for one in pictures.values()}
    return Annotations(titles, masks, sum(not one.regions for one in pictures.values()), crowds)


def refuse_no_lists(path: Path, content: Entry) -> None:
    """UserError where the file lacks one of its lists, or what is in it are no objects."""
    for key in _LISTS:
        entries: Any = content.get(key)
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in cast(list[Any], entries)):
            fail("data.coco-list", path=path, key=key)


def references(
    path: Path, content: Entry, pictures: Mapping[Any, Any], categories: Mapping[Any, Any], faults: Faults
) -> Iterator[tuple[Any, Entry]]:
    """The annotations, with their numbers, whose picture and category are in the file; the others become faults."""
    for place, entry in enumerate(cast(list[Entry], content["annotations"])):
        number = entry.get("id", place)
        for key, known in (("image_id", pictures), ("category_id", categories)):
            if not _known(entry.get(key), known):
                faults.add("data.coco-unknown", path=path, number=number, key=key, found=entry.get(key))
                break
        else:
            yield number, entry


def categories_of(path: Path, entries: list[Entry], faults: Faults) -> dict[Any, str]:
    """The names of the categories by their numbers."""
    named: dict[Any, str] = {}
    for entry in entries:
        number, name = entry.get("id"), entry.get("name")
        if type(number) is not int or number in named or not isinstance(name, str) or name in named.values():
            faults.add("data.coco-category", path=path, found=to_json(entry)[:80])
        else:
            named[number] = name
    return named


def _values(path: Path, named: Mapping[Any, str], faults: Faults) -> tuple[dict[Any, int], tuple[str, ...]]:
    """The value of each category, in the order of their numbers, and the names of the values."""
    ground = next((number for number, name in named.items() if name.lower() == GROUND), None)
    order = [number for number in sorted(named) if number != ground]
    if len(order) >= VOID:
        faults.add("data.coco-many", path=path, found=len(order), most=VOID - 1)
    values = {number: value for value, number in enumerate(order, start=1)}
    titles = (named.get(ground, GROUND), *(named[number] for number in order))
    return values | ({ground: 0} if ground is not None else {}), titles


def pictures_of(path: Path, entries: list[Entry], faults: Faults, *, sized: bool = True) -> dict[Any, CocoPicture]:
    """The pictures by their numbers; without their sides where these need not be `sized`."""
    found: dict[Any, CocoPicture] = {}
    names = defaultdict[str, int](int)
    for entry in entries:
        number, name, sides = entry.get("id"), entry.get("file_name"), (entry.get("height"), entry.get("width"))
        sound = isinstance(number, int | str) and number not in found and isinstance(name, str) and bool(name)
        if not sound or (sized and not all(type(side) is int and side > 0 for side in sides)):
            faults.add("data.coco-image", path=path, found=to_json(entry)[:80])
            continue
        names[str(name)] += 1
        found[number] = CocoPicture(str(name), cast(tuple[int, int], sides))
    if twice := [name for name, times in names.items() if times > 1]:
        faults.add("data.coco-twice", path=path, count=len(twice), examples=listed(twice, MOST_TOLD))
    return found


def _known(number: Any, among: Mapping[Any, Any]) -> bool:
    return isinstance(number, int | str) and number in among
