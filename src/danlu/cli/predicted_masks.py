"""Where `danlu predict` puts masks, whoever answers: a folder, or one picture, that --output names."""

from collections.abc import Sequence
from pathlib import Path

from danlu.base.errors import fail
from danlu.base.input_files import path_kind
from danlu.base.places import shown
from danlu.cli.predicted import AnswerOptions
from danlu.ship import MaskFiles

_TABLES = (".csv", ".tsv", ".txt")


def mask_files(wanted: AnswerOptions, values: Sequence[int | bool], titles: Sequence[str]) -> MaskFiles | None:
    """What writes masks of these `values` into the folder that --output names; None where it names a table, or
    nothing.
    """
    folder = wanted.output
    if folder is None or folder.suffix.lower() in _TABLES:
        return None
    if folder.suffix.lower() == ".png" and len(wanted.files) == 1 and Path(wanted.files[0]).expanduser().is_file():
        return MaskFiles(folder.parent, values, titles, folder.name)
    if path_kind(folder) not in ("missing", "folder"):
        fail("cli.masks-need-folder", path=shown(folder))
    return MaskFiles(folder, values, titles)
