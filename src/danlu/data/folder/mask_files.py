"""What lies in a folder of pictures and masks: which mask belongs to which picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.input_files import path_kind
from danlu.base.naming import listed
from danlu.data.folder.scan import ENDINGS, MOST_TOLD, FolderSearch, parts_of
from danlu.data.parts import part_of

PICTURES = ("images", "image", "imgs", "img", "pictures", "photos", "图像", "图片", "图")
MASKS = (
    "masks", "mask", "labels", "label", "annotations", "annotation", "segmentations", "gt", "掩码", "掩膜", "标注",
    "标签",
)  # fmt: skip
NAMES = ("classes.txt", "labels.txt")
_BEHIND = ("_mask", "-mask", "_masks", "_label", "_seg", "_gt")  # what some add to a picture's name for its mask
_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp")


class MaskSource(Protocol):
    """A mask that lies in no file of its own, in the size of its picture."""

    @property
    def path(self) -> Path: ...

    @property
    def sides(self) -> tuple[int, int]: ...

    def read(self) -> "Any | Fault":
        """The numbers [height, width], or what is wrong."""


@dataclass(frozen=True)
class MaskListing:
    """The pictures of each part with their masks; one part, "train", where the folder has none of its own. `titles` are
    the names of the classes, where a file tells them.
    """

    folder: Path
    parts: Mapping[str, Sequence[tuple[Path, Path | MaskSource]]]
    titles: tuple[str, ...] = ()
    notes: tuple[Fault, ...] = ()

    @property
    def pairs(self) -> list[tuple[Path, Path | MaskSource]]:
        return [pair for part in self.parts.values() for pair in part]


def mask_folders(folder: Path) -> dict[str, tuple[Path, Path]] | None:
    """The folders of pictures and of masks for each part: `folder`/images and masks, with or without train, val and
    test above or below them; None where it is no such folder.
    """
    search = FolderSearch()
    top = search.folders(folder)
    if pair := _pair(top):
        inside = [search.folders(one) for one in pair]
        parts = [{part_of(name): path for name, path in found.items() if part_of(name)} for found in inside]
        if "train" in parts[0] and parts[0].keys() == parts[1].keys():
            return {str(part): (parts[0][part], parts[1][part]) for part in parts[0]}
        return {"train": pair} if _holds_pictures(pair[1]) else None
    named = {part_of(name): search.folders(path) for name, path in top.items() if part_of(name)}
    if "train" not in named or _pair(named["train"]) is None:
        return None
    found = {
        str(part): pair for part, inner in parts_of(folder, search).items() if (pair := _pair(search.folders(inner)))
    }
    return found if all(_holds_pictures(masks) for _, masks in found.values()) else None


def scan_masks(folder: Path, parts: Mapping[str, tuple[Path, Path]]) -> MaskListing:
    """Every picture with its mask. UserError where a picture has none, or several files could be meant."""
    search, faults, notes = FolderSearch(), Faults(), list[Fault]()
    listed: dict[str, list[tuple[Path, Path]]] = {}
    for part, (pictures, masks) in parts.items():
        found = [path for path, _ in search.pictures(pictures)]
        beside = {_stem(path, masks): path for path, _ in search.pictures(masks)}
        behind = {
            stem.removesuffix(end): path for stem, path in beside.items() for end in _BEHIND if stem.endswith(end)
        }
        stems = [_stem(path, pictures) for path in found]
        pairs = [(path, beside.get(stem) or behind.get(stem)) for path, stem in zip(found, stems, strict=True)]
        lacking = [path for path, mask in pairs if mask is None]
        if lacking:
            faults.add("data.masks-lacking", path=masks, count=len(lacking), examples=some_of(lacking, folder))
        used = {mask for _, mask in pairs}
        alone = [path for path in beside.values() if path not in used]
        if alone:
            notes.append(Fault("data.masks-alone", {"count": len(alone), "examples": some_of(alone, folder)}))
        lossy = [mask for _, mask in pairs if mask is not None and mask.suffix.lower() in _LOSSY]
        if lossy:
            faults.add("data.masks-lossy", count=len(lossy), examples=some_of(lossy, folder))
        if twice := len(stems) - len(set(stems)):
            faults.add("data.masks-for-two", path=pictures, count=twice)
        listed[part] = [(path, mask) for path, mask in pairs if mask is not None]
        if not found:
            faults.add("data.masks-without-pictures", path=pictures)
    search.faults.raise_if_any()
    faults.raise_if_any()
    places = [folder, *(masks.parent for _, masks in parts.values()), *(masks for _, masks in parts.values())]
    return MaskListing(folder, listed, class_names(*places), (*notes, *search.left_out()))


def class_names(*places: Path) -> tuple[str, ...]:
    """The names of the classes, from the first of the folders that has a file of them; none where there is no such."""
    files = (place / name for place in dict.fromkeys(places) for name in NAMES)
    return next((read for one in files if (read := _titles(one))), ())


def refuse_without_masks(folder: Path) -> None:
    """UserError that says how a folder of pictures and masks is laid out."""
    fail("data.no-mask-folders", path=folder, pictures=PICTURES[0], masks=MASKS[0])


def _pair(folders: Mapping[str, Path]) -> tuple[Path, Path] | None:
    by_word = {name.lower(): path for name, path in folders.items()}
    pictures = [by_word[word] for word in PICTURES if word in by_word]
    masks = [by_word[word] for word in MASKS if word in by_word]
    return (pictures[0], masks[0]) if pictures and masks else None


def _holds_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in ENDINGS for path in folder.rglob("*"))


def _stem(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def some_of(paths: list[Path], folder: Path) -> str:
    """The first of the paths, as they lie in the folder."""
    told = (path.relative_to(folder) if path.is_relative_to(folder) else path for path in paths)
    return listed(told, MOST_TOLD)


def _titles(path: Path) -> tuple[str, ...]:
    """A name a line; none where there is no such file. UserError where it cannot be read."""
    if path_kind(path) != "file":
        return ()
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(Fault("data.unreadable", {"path": path, "reason": error})) from None
    names = tuple(line for line in lines if line)
    if len(set(names)) < len(names):
        fail("data.class-name-twice", path=path)
    return names
