"""Where an estimator's runs lie: in folders of their own, in temporary ones, or packed as bytes in a pickle."""

import io
import itertools
import os
import shutil
import tempfile
import weakref
import zipfile
from pathlib import Path

from danlu.base.errors import fail
from danlu.base.files import absolute, make_folder, storage_error
from danlu.run.run import Run
from danlu.store.run_folder import RunFolder


def new_home(parent: str | Path | None) -> Path:
    """A new empty folder for a run: `run-1`, `run-2` … in `parent`, also where several processes ask at once; None: a
    temporary one. StorageError where the disk refuses.
    """
    if parent is None:
        return Path(tempfile.mkdtemp(prefix="danlu-"))
    folder = absolute(Path(parent).expanduser())
    try:
        make_folder(folder)
        for number in itertools.count(1):
            path = folder / f"run-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise storage_error(folder, error) from error
    raise AssertionError("numbers do not end")


def live_together(run: Run) -> None:
    """Let a run's temporary folder go when nobody holds the run any more, or when the program ends."""
    weakref.finalize(run, _remove, run.folder, os.getpid())


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked copy of the run must not take the folder away from the one it was forked from
        shutil.rmtree(folder, ignore_errors=True)


def packed(folder: Path) -> bytes:
    """What a run answers, scores and goes on from, as the bytes of a zip: its folder without the report."""
    place, content = RunFolder(folder), io.BytesIO()
    files = [place.recipe, place.environment, place.package, place.journal, *sorted(place.checkpoints.rglob("*"))]
    with zipfile.ZipFile(content, "w") as archive:
        for file in files:
            if file.is_file():
                # Without a date: the same run makes the same bytes.
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def unpacked(content: bytes) -> Path:
    """The folder of a packed run, in a new temporary one. UserError where the bytes are damaged."""
    folder = new_home(None)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
    except (zipfile.BadZipFile, EOFError):
        shutil.rmtree(folder, ignore_errors=True)
        fail("estimators.damaged-pickle")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise storage_error(folder, error) from error
    return folder
