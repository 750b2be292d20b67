"""The ways in which folders hold pictures with masks, or with the labels of what is in them."""

from pathlib import Path

from danlu.data.folder.coco.labels import has_regions, labels_of_coco
from danlu.data.folder.coco.scan import coco_files, masks_of_coco
from danlu.data.folder.mask_files import MaskListing, mask_folders, scan_masks
from danlu.data.folder.scan import Listing
from danlu.data.folder.voc import is_voc, scan_voc
from danlu.data.folder.voc_labels import has_voc_labels, scan_voc_labels

_SEVERAL, _PIXELS = "multi-label", "segmentation"


def find_masks(folder: Path) -> MaskListing | None:
    """The pictures of the folder with their masks, None where it holds none. UserError where some are amiss."""
    found = find_annotated(folder, _PIXELS)
    return found if isinstance(found, MaskListing) else None


def find_annotated(folder: Path, task: str) -> MaskListing | Listing | None:
    """The pictures of the folder with their masks, or, where the `task` is several labels or nothing else is annotated,
    with the labels of what is in them; None where it holds neither. UserError where some are amiss.
    """
    if is_voc(folder) and not (task == _SEVERAL and has_voc_labels(folder)):
        return scan_voc(folder)
    if task != _PIXELS and has_voc_labels(folder):
        return scan_voc_labels(folder)
    if files := coco_files(folder):
        several = task == _SEVERAL or (task != _PIXELS and not has_regions(files))
        return labels_of_coco(folder, files) if several else masks_of_coco(folder, files)
    parts = mask_folders(folder)
    return scan_masks(folder, parts) if parts else None
