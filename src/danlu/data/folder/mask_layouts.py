"""The ways in which folders hold pictures and masks."""

from pathlib import Path

from danlu.data.folder.coco.scan import find_coco
from danlu.data.folder.mask_files import MaskListing, mask_folders, scan_masks
from danlu.data.folder.voc import is_voc, scan_voc


def find_masks(folder: Path) -> MaskListing | None:
    """The pictures of the folder with their masks, None where it holds none. UserError where some are amiss."""
    if is_voc(folder):
        return scan_voc(folder)
    if found := find_coco(folder):
        return found
    parts = mask_folders(folder)
    return scan_masks(folder, parts) if parts else None
