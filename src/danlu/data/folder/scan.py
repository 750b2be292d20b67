"""What lies in a folder with a folder for each class: its parts, its classes, and the files of each."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.naming import listed
from danlu.data.parts import part_of
from danlu.data.tar_member import PicturePath

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
TEXT_ENDINGS = (".txt",)
# Pictures all the same: a class must not vanish because its files are of a format that is not read here.
UNREAD = (
    ".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".tga", ".ico", ".ppm", ".pgm", ".dcm", ".dng", ".cr2",
    ".nef",
)  # fmt: skip
MOST_TOLD = 10


@dataclass(frozen=True)
class PictureFile:
    """A file, the number of its class, its size in bytes and when it, or its archive, was changed (nanoseconds)."""

    path: PicturePath
    label: int
    size: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """The pictures of each part; one part, "train", where the folder has no parts of its own. `notes` tell what else
    lies there and was left out. `by_table`: the classes are a table's, not the folders'. Where a picture may have
    several labels, or none, its number is that of one of the `sets` of the numbers of classes, and `separator` is
    what stands between the labels in a file.
    """

    folder: Path
    classes: tuple[str, ...]
    parts: dict[str, list[PictureFile]]
    notes: tuple[Fault, ...] = ()
    by_table: bool = False
    sets: tuple[tuple[int, ...], ...] = ()
    separator: str = ";"

    @property
    def pictures(self) -> list[PictureFile]:
        return [picture for part in self.parts.values() for picture in part]


def scan(folder: Path, given: Mapping[str, Path] | None = None, endings: tuple[str, ...] = ENDINGS) -> Listing:
    """The classes are the names of the subfolders of `folder`, or of those of its folders train, val and test; or of
    the folders `given` for the parts. Their files are those with one of the `endings`.

    Raises UserError for a folder without classes, for folders that cannot be read (all of them), for two folders that
    mean one part, for a class whose pictures are all of formats that are not read, and for parts whose classes are not
    those of the training part.
    """
    search = FolderSearch(endings)
    parts = dict(given) if given else parts_of(folder, search)
    found = {
        part: {name: search.pictures(inner) for name, inner in search.folders(path).items()}
        for part, path in parts.items()
    }
    loose = {part: search.loose(path) for part, path in parts.items()}
    search.faults.raise_if_any()
    filled = {part: {name: files for name, files in classes.items() if files} for part, classes in found.items()}
    if len(filled["train"]) < 2:
        if not any(filled.values()) and not loose["train"]:
            fail("data.folder", path=folder)
        classes = ", ".join(filled["train"]) or "-"
        phrase = "data.no-class-folders" if endings == ENDINGS else "data.no-class-folders-texts"
        fail(phrase, path=parts["train"], found=classes, loose=loose["train"])
    classes = in_natural_order(filled["train"])
    for part, names in filled.items():
        strange = sorted(set(names) - set(classes))
        if strange:
            fail("data.strange-classes", path=folder, part=part, classes=listed(strange, MOST_TOLD))
        if loose[part]:
            search.notes.append(Fault("data.loose-pictures", {"path": parts[part], "count": loose[part]}))
    found = {
        part: [
            PictureFile(path, label, status.st_size, status.st_mtime_ns)
            for label, name in enumerate(classes)
            for path, status in filled[part].get(name, ())
        ]
        for part in filled
    }
    present = {part: pictures for part, pictures in found.items() if pictures}
    return Listing(folder, classes, present, (*search.notes, *search.left_out()))


def parts_of(folder: Path, search: "FolderSearch") -> dict[str, Path]:
    """The folder of each part; `folder` itself is the training part where none in it is called so."""
    top = search.folders(folder)
    parts: dict[str, Path] = {}
    for name, path in top.items():
        part = part_of(name)
        if part in parts:
            fail("data.two-folders-for-a-part", path=folder, first=parts[part].name, second=name, part=part)
        if part:
            parts[part] = path
    if "train" not in parts:
        return {"train": folder}
    if beside := [name for name, path in top.items() if path not in parts.values()]:
        search.notes.append(Fault("data.folders-beside", {"path": folder, "names": listed(beside, MOST_TOLD)}))
    return parts


class FolderSearch:
    """Reads folders; those that cannot be read are collected, and so is what is left out."""

    def __init__(self, endings: tuple[str, ...] = ENDINGS) -> None:
        self.faults = Faults()
        self.notes: list[Fault] = []
        self._endings = endings
        self._others: Counter[str] = Counter()
        self._first: Path | None = None

    def folders(self, folder: Path) -> dict[str, Path]:
        entries = self._entries(folder)
        return {entry.name: Path(entry.path) for entry in entries if entry.is_dir() and not _is_passed_over(entry)}

    def pictures(self, folder: Path) -> list[tuple[Path, os.stat_result]]:
        """Those of a class: in its `folder` and in the folders inside it, in the order of their names."""
        before = Counter(self._others)
        found = self._pictures(folder)
        unread = {ending: count for ending, count in (self._others - before).items() if ending in UNREAD}
        if unread and not found:
            self.faults.add("data.class-not-read", path=folder, endings=counted(unread))
        return found

    def _pictures(self, folder: Path) -> list[tuple[Path, os.stat_result]]:
        found: list[tuple[Path, os.stat_result]] = []
        for entry in self._entries(folder):
            path = Path(entry.path)
            if _is_passed_over(entry):
                continue
            if entry.is_dir():
                # A link to a folder that it lies in would lead round and round.
                if not (entry.is_symlink() and path.absolute().is_relative_to(path.resolve())):
                    found += self._pictures(path)
            elif entry.is_file() and path.suffix.lower() in self._endings:
                found.append((path, entry.stat()))
            else:
                self._others[path.suffix.lower()] += 1
                self._first = self._first or path
        return found

    def loose(self, folder: Path) -> int:
        """How many such files lie in `folder` itself."""
        files = (Path(entry.name) for entry in self._entries(folder) if entry.is_file())
        return sum(file.suffix.lower() in self._endings for file in files)

    def left_out(self) -> tuple[Fault, ...]:
        """The note of the files whose names have other endings, or that are no files at all (a pipe, a broken link)."""
        if not self._others:
            return ()
        values = {"count": self._others.total(), "endings": counted(self._others), "first": self._first}
        return (Fault("data.other-files" if self._endings == ENDINGS else "data.other-files-texts", values),)

    def _entries(self, folder: Path) -> "list[os.DirEntry[str]]":
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.faults.add("data.unreadable", path=folder, reason=error.strerror or error)
            return []


def counted(endings: Mapping[str, int]) -> str:
    """How many files have each ending, the most frequent first.

    >>> counted({".md": 1, ".heic": 20})
    '.heic × 20, .md × 1'
    """
    frequent = Counter(endings).most_common(MOST_TOLD)
    return ", ".join(f"{ending or '-'} × {count}" for ending, count in frequent)


def _is_passed_over(entry: "os.DirEntry[str]") -> bool:
    """Whether it is hidden, or the folder of a run or a study, whose pictures are danlu's own."""
    return entry.name.startswith((".", "__MACOSX")) or Path(entry.path, "journal.jsonl").is_file()


def first_told(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """The faults, of very many the first, and how many more there are."""
    more = len(faults) - MOST_TOLD
    return tuple(faults) if more <= 0 else (*faults[:MOST_TOLD], Fault("data.and-more", {"count": more}))


def raise_first(faults: Faults) -> None:
    """UserError with the first of these faults, if there are any."""
    try:
        faults.raise_if_any()
    except UserError as error:
        raise UserError(*first_told(error.faults)) from None


def in_natural_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names in their order, numbers by their value.

    >>> in_natural_order(["10", "9", "cat"])
    ('9', '10', 'cat')
    """
    return tuple(sorted(names, key=_natural))


def _natural(name: str) -> tuple[int, str]:
    """Numbers by their value, before names."""
    return (int(name), "") if name.isascii() and name.isdigit() else (2**63, name)
