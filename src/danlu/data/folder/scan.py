"""What lies in a folder of pictures: its parts, its classes, and the files of each."""

import os
from dataclasses import dataclass
from pathlib import Path

from danlu.base.errors import Faults, fail

ENDINGS = (".jpg", ".jpeg", ".jpe", ".png")
PART_NAMES = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
MOST_TOLD = 10


@dataclass(frozen=True)
class Picture:
    """A file, the number of its class, its size in bytes and when it was changed (nanoseconds)."""

    path: Path
    label: int
    size: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """The pictures of each part; one part, "train", where the folder has no parts of its own."""

    folder: Path
    classes: tuple[str, ...]
    parts: dict[str, list[Picture]]
    others: int  # files that are no pictures

    @property
    def pictures(self) -> list[Picture]:
        return [picture for part in self.parts.values() for picture in part]


def scan(folder: Path) -> Listing:
    """The classes are the names of the subfolders of `folder`, or of those of its folders train, val and test.

    Raises UserError for a folder without classes, for folders that cannot be read (all of them), and for parts whose
    classes are not those of the training part.
    """
    search = _Search()
    top = search.folders(folder)
    parts = {PART_NAMES[name.lower()]: path for name, path in top.items() if name.lower() in PART_NAMES}
    if "train" not in parts:
        parts = {"train": folder}
    found = {
        part: {name: search.pictures(inner) for name, inner in search.folders(path).items()}
        for part, path in parts.items()
    }
    search.faults.raise_if_any()
    filled = {part: {name: files for name, files in classes.items() if files} for part, classes in found.items()}
    if len(filled["train"]) < 2:
        loose = search.loose(parts["train"])
        if not any(filled.values()) and not loose:
            fail("data.folder", path=folder)
        fail("data.no-class-folders", path=parts["train"], found=", ".join(filled["train"]) or "-", loose=loose)
    classes = tuple(sorted(filled["train"], key=_natural))
    for part, names in filled.items():
        strange = sorted(set(names) - set(classes))
        if strange:
            fail("data.strange-classes", path=folder, part=part, classes=", ".join(strange[:MOST_TOLD]))
    listed = {
        part: [
            Picture(path, label, status.st_size, status.st_mtime_ns)
            for label, name in enumerate(classes)
            for path, status in filled[part].get(name, ())
        ]
        for part in filled
    }
    return Listing(folder, classes, {part: pictures for part, pictures in listed.items() if pictures}, search.others)


class _Search:
    """Reads folders; those that cannot be read are collected."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.others = 0

    def folders(self, folder: Path) -> dict[str, Path]:
        entries = self._entries(folder)
        return {entry.name: Path(entry.path) for entry in entries if entry.is_dir() and not _is_hidden(entry.name)}

    def pictures(self, folder: Path) -> list[tuple[Path, os.stat_result]]:
        """Those in `folder` and in the folders inside it, in the order of their names."""
        found: list[tuple[Path, os.stat_result]] = []
        for entry in self._entries(folder):
            if _is_hidden(entry.name):
                continue
            if entry.is_dir():
                found += self.pictures(Path(entry.path))
            elif entry.name.lower().endswith(ENDINGS):
                found.append((Path(entry.path), entry.stat()))
            else:
                self.others += 1
        return found

    def loose(self, folder: Path) -> int:
        """How many pictures lie in `folder` itself."""
        return sum(entry.name.lower().endswith(ENDINGS) for entry in self._entries(folder))

    def _entries(self, folder: Path) -> "list[os.DirEntry[str]]":
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.faults.add("data.unreadable", path=folder, reason=error.strerror or error)
            return []


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX"))


def _natural(name: str) -> tuple[int, str]:
    """Numbers by their value, before names."""
    return (int(name), "") if name.isascii() and name.isdigit() else (2**63, name)
