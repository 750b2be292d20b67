"""Which categories are annotated in each picture of a COCO file: several labels a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import Fault, Faults
from danlu.data.folder.coco.annotations import categories_of, pictures_of, references, refuse_no_lists
from danlu.data.folder.coco.scan import CocoFile, found_pictures, same_titles
from danlu.data.folder.labelled import labelled
from danlu.data.folder.scan import Listing, raise_first


def has_regions(files: Mapping[str, CocoFile]) -> bool:
    """Whether an annotation of the files draws a region, or there is none at all; boxes say only what is there."""
    entries: list[Any] = [one for file in files.values() for one in _entries(file)]
    return not entries or any(
        isinstance(one, dict) and cast(dict[str, Any], one).get("segmentation") for one in entries
    )


def labels_of_coco(folder: Path, files: Mapping[str, CocoFile]) -> Listing:
    """The pictures of each part's file with the names of their categories. UserError with all that is wrong."""
    faults = Faults()
    told: dict[str, dict[str, list[str]]] = {}
    titles: dict[str, tuple[str, ...]] = {}
    for part, file in files.items():
        with faults.gathered():
            titles[part], told[part] = _read(file)
    raise_first(faults)
    same_titles(files, titles)
    parts: dict[str, list[tuple[Path, list[str]]]] = {}
    for part, file in files.items():
        places = found_pictures(folder, file.path, list(told[part]), faults)
        parts[part] = [(path, told[part][name]) for name, path in places.items()]
    raise_first(faults)
    notes = [Fault("data.told-categories", {"count": len(titles["train"])})]
    if empty := sum(not own for pairs in parts.values() for _, own in pairs):
        notes.append(Fault("data.without-labels", {"count": empty}))
    return labelled(folder, titles["train"], parts, tuple(notes))


def _read(file: CocoFile) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The names of the categories in the order of their numbers, and those of each picture by the name of its file."""
    refuse_no_lists(file.path, file.content)
    faults = Faults()
    named = categories_of(file.path, file.content["categories"], faults)
    pictures = pictures_of(file.path, file.content["images"], faults, sized=False)
    found: dict[str, list[str]] = {one.name: [] for one in pictures.values()}
    for _, entry in references(file.path, file.content, pictures, named, faults):
        found[pictures[entry["image_id"]].name].append(named[entry["category_id"]])
    raise_first(faults)
    return tuple(named[number] for number in sorted(named)), found


def _entries(file: CocoFile) -> list[Any]:
    entries: Any = file.content["annotations"]
    return cast(list[Any], entries) if isinstance(entries, list) else []
