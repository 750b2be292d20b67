"""The order in which runs and studies were begun or gone on with, whatever the clock was set to in between.

It is kept as the time stamp of the file that makes a folder a run or a study (recipe.toml, study.json), which nothing
else changes: the time of the clock, or just after the latest of its neighbours where the clock is behind that. Folders
of danlu 0.1 have a place in it, too.
"""

import contextlib
import os
import time
from pathlib import Path

from danlu.base.errors import UserError
from danlu.base.files import absolute
from danlu.base.places import runs_folder, studies_folder
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder

_STEP_NS = 1000  # file systems keep stamps to the microsecond, all but the oldest
_KINDS = (RunFolder(Path()).recipe.name, StudyFolder(Path()).design.name)


def take_turn(file: Path) -> None:
    """Make the folder of `file`, its recipe.toml or study.json, the last of those beside it; those in `runs/` and
    `studies/` are one row. A disk that refuses changes nothing.
    """
    parent = absolute(file).parent.parent
    usual = set[Path]()
    with contextlib.suppress(UserError):  # there is no working folder any more, and so none of the two
        usual = {absolute(runs_folder()), absolute(studies_folder())}
    with contextlib.suppress(OSError):
        latest = max(turn(other) for folder in (usual if parent in usual else {parent}) for other in _files(folder))
        own = max(time.time_ns(), latest + _STEP_NS)
        os.utime(file, ns=(own, own))


def turn(file: Path) -> int:
    """The place of a run or a study in the order, by its recipe.toml or study.json: the greater, the later; 0 where
    there is none.
    """
    try:
        return file.lstat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def _files(parent: Path) -> list[Path]:
    try:
        return [folder / kind for folder in parent.iterdir() for kind in _KINDS]
    except OSError:
        return []
