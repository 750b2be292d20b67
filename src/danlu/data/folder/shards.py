"""Pictures in tar archives, as WebDataset lays them out: key.jpg, and beside it key.cls, key.json or key.txt.

The layout: https://github.com/webdataset/webdataset. One pass finds every picture's place and class; from then on they
are read as files are, each by its place in the archive.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from danlu.base.errors import Fault, Faults, fail
from danlu.base.input_files import path_kind
from danlu.base.naming import listed
from danlu.data.folder.scan import (
    MOST_TOLD,
    FolderSearch,
    Listing,
    PictureFile,
    counted,
    in_natural_order,
    parts_of,
    raise_first,
)
from danlu.data.folder.tar_index import entries, holds_pictures, is_hidden, is_picture, is_tar
from danlu.data.parts import PARTS, part_of
from danlu.data.tar_member import TarMember

# Which of several files beside a picture has its class: where there are classes, a text is its description.
LABELS = ("cls", "json", "txt")
LABEL_KEYS = ("label", "cls", "class", "class_name")
MOST_LABEL_BYTES = 2**20


@dataclass
class _Sample:
    picture: TarMember | None = None
    labels: dict[str, TarMember] = field(default_factory=dict[str, TarMember])


@dataclass
class _Found:
    """What an archive holds: samples by their key, and how much of what else."""

    samples: dict[str, _Sample] = field(default_factory=dict[str, _Sample])
    others: Counter[str] = field(default_factory=Counter[str])
    first: TarMember | None = None
    links: int = 0


def archives_of(place: Path) -> dict[str, list[Path]] | None:
    """The archives of pictures by part: the file `place`, or those in the folder `place` or in its folders train, val
    and test, or of its files train-000.tar and val-000.tar; None where there are no such.
    """
    if path_kind(place) == "file":
        return {"train": [place]} if is_tar(place) and holds_pictures(place) else None
    search = FolderSearch()
    parts = {part: _tars_in(folder) for part, folder in parts_of(place, search).items()}
    search.faults.raise_if_any()
    if parts.keys() == {"train"}:
        parts = by_name(parts["train"])
    parts = {part: found for part, found in parts.items() if found}
    return parts if "train" in parts and holds_pictures(parts["train"][0]) else None


def by_name(archives: Sequence[Path]) -> dict[str, list[Path]]:
    """Archives by the part that their names begin with; all of them are one where none begins with train.

    >>> [*by_name([Path("train-0.tar"), Path("val-0.tar")])], [*by_name([Path("shard-0.tar"), Path("test.tar")])]
    (['train', 'validation'], ['train'])
    """
    words = {path: part_of(path.name.replace("_", "-").replace(".", "-").split("-")[0]) for path in archives}
    if "train" not in words.values() or None in words.values():
        return {"train": [*archives]}
    return {part: [path for path in archives if words[path] == part] for part in PARTS if part in words.values()}


def read_archives(archives: Mapping[str, Sequence[Path]]) -> Listing:
    """The pictures of all archives, with their classes. UserError with all that is wrong with them: two pictures of one
    key, a picture without a class, what is no class, and classes that the training part lacks.
    """
    faults, found = Faults(), dict[str, list[_Found]]()
    archives = {part: [path.absolute() for path in paths] for part, paths in archives.items()}
    for part, paths in archives.items():
        found[part] = [_index(path, faults) for path in paths]
    raise_first(faults)
    kind = next((kind for kind in LABELS if any(kind in one.labels for one in _samples(found))), None)
    if not any(one.picture for one in _samples(found)):
        fail("shards.no-pictures", path=archives["train"][0])
    labelled = {
        part: [pair for one in several for pair in _labelled(one, kind, faults)] for part, several in found.items()
    }
    raise_first(faults)
    folder = Path(os.path.commonpath([path.parent for paths in archives.values() for path in paths]))
    classes = _classes(folder, labelled)
    numbers = {name: number for number, name in enumerate(classes)}
    changed = {path: path.stat().st_mtime_ns for paths in archives.values() for path in paths}
    parts = {
        part: [PictureFile(one, numbers[name], one.size, changed[one.archive]) for one, name in pairs]
        for part, pairs in labelled.items()
    }
    count = sum(len(paths) for paths in archives.values())
    told = Fault("shards.read", {"path": folder, "count": count, "ending": kind})
    return Listing(folder, classes, parts, (told, *_left_out(found, kind)))


def _tars_in(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if is_tar(path) and not path.name.startswith("."))
    return [path for path in files if path_kind(path) == "file"]


def _samples(found: Mapping[str, Sequence[_Found]]) -> list[_Sample]:
    return [sample for several in found.values() for one in several for sample in one.samples.values()]


def _index(path: Path, faults: Faults) -> _Found:
    found = _Found()
    for entry in entries(path):
        member = entry.member
        key, ending = key_of(member.name)
        if is_hidden(member.name):
            continue
        if not entry.is_file:
            found.links += 1
        elif is_picture(member.name):
            sample = found.samples.setdefault(key, _Sample())
            if sample.picture is not None:
                told = {"first": sample.picture.name, "second": member.name}
                faults.add("shards.two-pictures", path=path, key=key, **told)
            sample.picture = member
        elif ending in LABELS:
            sample = found.samples.setdefault(key, _Sample())
            if ending in sample.labels:
                faults.add("shards.twice", path=path, name=member.name)
            sample.labels[ending] = member
        else:
            found.others[f".{ending}" if ending else ""] += 1
        if not entry.is_file or not (is_picture(member.name) or ending in LABELS):
            found.first = found.first or member
    return found


def key_of(name: str) -> tuple[str, str]:
    """What a file belongs to, and what it is of it: its folders and its name up to the first point, and the rest.

    >>> key_of("a/0001.jpg"), key_of("a.b/0001.seg.png"), key_of("readme")
    (('a/0001', 'jpg'), ('a.b/0001', 'seg.png'), ('readme', ''))
    """
    place = PurePosixPath(name)
    stem, _, ending = place.name.partition(".")
    return str(place.with_name(stem or place.name)), ending.lower()


def _labelled(found: _Found, kind: str | None, faults: Faults) -> list[tuple[TarMember, str]]:
    """The pictures of an archive with the names of their classes."""
    pairs: list[tuple[TarMember, str]] = []
    for key, sample in found.samples.items():
        if sample.picture is None:
            continue
        if kind is None or kind not in sample.labels:
            faults.add("shards.no-label", picture=sample.picture, key=key, ending=kind or LABELS[0])
            continue
        name = _class_in(sample.labels[kind], kind)
        if isinstance(name, Fault):
            faults.add(name.id, **name.values)
        else:
            pairs.append((sample.picture, name))
    return pairs


def _class_in(member: TarMember, kind: str) -> "str | Fault":
    if member.size > MOST_LABEL_BYTES:
        return Fault("shards.label-long", {"path": member, "found": member.size, "limit": MOST_LABEL_BYTES})
    with member.open() as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig").strip()
        value: Any = json.loads(text) if kind == "json" else text
    except (ValueError, RecursionError) as error:
        return Fault("shards.label-unread", {"path": member, "reason": error})
    if isinstance(value, dict):
        values: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        value = next((values[key] for key in LABEL_KEYS if key in values), None)
        if value is None:
            return Fault("shards.json-no-label", {"path": member, "keys": ", ".join(LABEL_KEYS)})
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        return Fault("shards.no-class", {"path": member})
    return str(value).strip()


def _classes(folder: Path, labelled: Mapping[str, Sequence[tuple[TarMember, str]]]) -> tuple[str, ...]:
    found = {part: Counter(name for _, name in pairs) for part, pairs in labelled.items()}
    classes = in_natural_order(found["train"])
    if len(classes) < 2:
        fail("data.target-constant", place=folder, value=", ".join(classes))
    if len(classes) == found["train"].total() > 20:
        fail("data.all-labels-differ", place=folder, count=len(classes))
    for part, names in found.items():
        if strange := sorted(set(names) - set(classes)):
            fail("data.strange-classes", path=folder, part=part, classes=listed(strange, MOST_TOLD))
    return classes


def _left_out(found: Mapping[str, Sequence[_Found]], kind: str | None) -> list[Fault]:
    """What there is to tell of all that is no picture with its class."""
    several = [one for parts in found.values() for one in parts]
    others: Counter[str] = sum((one.others for one in several), Counter[str]())
    links = sum(one.links for one in several)
    for sample in _samples(found):
        others.update(f".{other}" for other in sample.labels if other != kind or sample.picture is None)
    first = next((one.first for one in several if one.first), None)
    notes: list[Fault] = []
    if others:
        notes.append(Fault("shards.others", {"endings": counted(others)}))
    if links:
        notes.append(Fault("shards.links", {"count": links, "first": first}))
    return notes
