"""Pictures and masks as PASCAL VOC lays them out (http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html):
JPEGImages, SegmentationClass with masks of some of them, and lists of names for each part."""

from pathlib import Path

from danlu.base.errors import Fault, Faults, UserError
from danlu.base.input_files import path_kind
from danlu.data.folder.mask_files import MaskListing, class_names, some_of
from danlu.data.folder.scan import FolderSearch
from danlu.data.parts import PARTS, part_of

PICTURES, _MASKS = "JPEGImages", "SegmentationClass"
_LISTS = Path("ImageSets") / "Segmentation"


def is_voc(folder: Path) -> bool:
    """Whether the folder is laid out so."""
    return all(path_kind(folder / name) == "folder" for name in (PICTURES, _MASKS))


def scan_voc(folder: Path) -> MaskListing:
    """The pictures that the lists of train, val and test name, each with its mask; where there are no such lists, all
    that have a mask, as one part. A list of both, such as trainval, is left aside. UserError where a listed picture or
    its mask is not there.
    """
    search, faults = FolderSearch(), Faults()
    pictures = {path.stem: path for path, _ in search.pictures(folder / PICTURES)}
    masks = {path.stem: path for path, _ in search.pictures(folder / _MASKS)}
    lists = names_of_parts(folder / _LISTS) or {"train": [name for name in pictures if name in masks]}
    listed: dict[str, list[tuple[Path, Path]]] = {}
    for part, names in lists.items():
        if part == "test" and not any(name in masks for name in names):
            continue  # the masks of a competition's test part are kept back
        for kind, there in ((_MASKS, masks), (PICTURES, pictures)):
            lacking = [folder / kind / name for name in names if name not in there]
            if lacking:
                told = {"count": len(lacking), "examples": some_of(lacking, folder)}
                faults.add("data.voc-lacking", path=folder / kind, lists=_LISTS.as_posix(), **told)
        listed[part] = [(pictures[name], masks[name]) for name in names if name in pictures and name in masks]
    search.faults.raise_if_any()
    if not any(listed.values()):
        faults.add("data.masks-without-pictures", path=folder / PICTURES)
    faults.raise_if_any()
    used = {picture for part in listed.values() for picture, _ in part}
    rest = [path for path in pictures.values() if path not in used]
    notes = [Fault("data.voc-rest", {"count": len(rest), "examples": some_of(rest, folder)})] if rest else []
    return MaskListing(folder, listed, class_names(folder), (*notes, *search.left_out()))


def names_of_parts(lists: Path) -> dict[str, list[str]]:
    """The names of the pictures of each part, from the folder of their lists; none where there is none for train."""
    found = {part: read for part in PARTS if (read := _listed(lists, part))}
    return found if "train" in found else {}


def _listed(folder: Path, part: str) -> list[str]:
    """The names in the list of a part, which goes by any of the part's names; none where there is no such list."""
    if path_kind(folder) != "folder":
        return []
    for path in sorted(folder.glob("*.txt")):
        if part_of(path.stem) == part:
            try:
                return path.read_text(encoding="utf-8-sig").split()
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(Fault("data.unreadable", {"path": path, "reason": error})) from None
    return []
