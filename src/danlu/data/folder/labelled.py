"""Pictures each of which may have several labels, or none."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.data.folder.scan import Listing, PictureFile


def labelled(
    folder: Path,
    labels: Sequence[str],
    parts: Mapping[str, Sequence[tuple[Path, Iterable[str]]]],
    notes: tuple[Fault, ...] = (),
    *,
    separator: str = ";",
) -> Listing:
    """The pictures of each part with their labels, each of which is one of `labels`; in a file `separator` stands
    between them. UserError for fewer than two.
    """
    if len(labels) < 2:
        fail("data.labels-too-few", place=folder, found=", ".join(labels) or "-")
    numbers = {label: number for number, label in enumerate(labels)}
    sets: dict[tuple[int, ...], int] = {}
    found: dict[str, list[PictureFile]] = {}
    for part, pairs in parts.items():
        found[part] = []
        for path, own in pairs:
            key = tuple(sorted({numbers[label] for label in own}))
            status = path.stat()
            label = sets.setdefault(key, len(sets))
            found[part].append(PictureFile(path.absolute(), label, status.st_size, status.st_mtime_ns))
    places = {str(path.absolute().parent) for pairs in parts.values() for path, _ in pairs}
    whole = Path(os.path.commonpath([str(folder.absolute()), *places]))
    return Listing(whole, tuple(labels), found, notes, by_table=True, sets=tuple(sets), separator=separator)
