"""Pictures with the objects in them as PASCAL VOC annotates them: JPEGImages, and in Annotations a file of XML each."""

from pathlib import Path
from xml.etree import ElementTree

from danlu.base.errors import Fault, Faults, UserError
from danlu.base.input_files import path_kind, read_file
from danlu.data.folder.labelled import labelled
from danlu.data.folder.mask_files import some_of
from danlu.data.folder.scan import FolderSearch, Listing, in_natural_order, raise_first
from danlu.data.folder.voc import PICTURES, names_of_parts

_OBJECTS = "Annotations"
_LISTS = Path("ImageSets") / "Main"


def has_voc_labels(folder: Path) -> bool:
    """Whether the folder is laid out so."""
    if not all(path_kind(folder / name) == "folder" for name in (PICTURES, _OBJECTS)):
        return False
    return any(path.suffix.lower() == ".xml" for path in (folder / _OBJECTS).iterdir())


def scan_voc_labels(folder: Path) -> Listing:
    """The pictures that the lists of train, val and test name, each with the names of the objects in it; where there
    are no such lists, all that are annotated, as one part. UserError with all that is not there or cannot be read.
    """
    search, faults = FolderSearch(), Faults()
    pictures = {path.stem: path for path, _ in search.pictures(folder / PICTURES)}
    search.faults.raise_if_any()
    files = {path.stem: path for path in sorted((folder / _OBJECTS).iterdir()) if path.suffix.lower() == ".xml"}
    lists = names_of_parts(folder / _LISTS) or {"train": [name for name in files if name in pictures]}
    for kind, there in ((PICTURES, pictures), (_OBJECTS, files)):
        lacking = [folder / kind / name for names in lists.values() for name in names if name not in there]
        if lacking:
            told = {"count": len(lacking), "examples": some_of(lacking, folder)}
            faults.add("data.voc-lacking", path=folder / kind, lists=_LISTS.as_posix(), **told)
    faults.raise_if_any()
    objects: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for names in lists.values() for name in names):
        with faults.gathered():
            objects[name] = _objects(files[name])
    raise_first(faults)
    labels = in_natural_order({label for own in objects.values() for label in own})
    parts = {part: [(pictures[name], objects[name]) for name in names] for part, names in lists.items()}
    rest = [path for name, path in pictures.items() if name not in objects]
    notes = [Fault("data.told-objects", {"count": len(labels)})]
    if empty := sum(not own for own in objects.values()):
        notes.append(Fault("data.without-labels", {"count": empty}))
    if rest:
        notes.append(Fault("data.voc-rest-labels", {"count": len(rest), "examples": some_of(rest, folder)}))
    return labelled(folder, labels, parts, (*notes, *search.left_out()))


def _objects(path: Path) -> list[str]:
    """The names of the objects that a file annotates. UserError for what is no such file, or declares entities."""
    content = read_file(path)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UserError(Fault("data.voc-xml", {"path": path, "reason": "<!DOCTYPE>"}))
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  (which declares no entities)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UserError(Fault("data.voc-xml", {"path": path, "reason": error})) from None
    names = [(one.findtext("name") or "").strip() for one in root.iter("object")]
    if not all(names):
        raise UserError(Fault("data.voc-no-name", {"path": path}))
    return names
