"""What the page may change: notes beside runs and studies, and which of them lie in the trash. Nothing else is written.

What is deleted is moved to `.danlu-trash` in the folder that is shown, from which it can be taken back.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.errors import Faults, fail
from danlu.base.files import make_folder, rename, storage_error, sync_folder
from danlu.serve.index import Index, IndexEntry
from danlu.store.file_lock import is_locked
from danlu.store.notes import Notes
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder

TRASH = ".danlu-trash"
_DEEPEST = 5


@dataclass(frozen=True)
class Trashed:
    """A run or a study in the trash; `id` is what it is asked back by, `name` where it lay."""

    id: str
    name: str
    path: Path
    home: Path


class Edits:
    """The changes to what an index shows. Each may be called from several threads at once; they wait for each other."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()

    def note(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change the notes of runs and studies, by their ids. KeyError for one that is none; UserError for notes that
        do not fit."""
        with self._lock:
            entries = [(self._entry(id), told) for id, told in changes.items()]
            for entry, told in entries:
                Notes.change(entry.path, told)

    def delete(self, ids: Sequence[str]) -> list[Trashed]:
        """Move runs and studies to the trash: all of them, or none where one may not go. KeyError for one that is none;
        UserError for one that is trained just now, that is part of a study, or that is the folder shown."""
        with self._lock:
            entries = [self._entry(id) for id in dict.fromkeys(ids)]
            faults = Faults()
            for entry in entries:
                self._check(entry, faults)
            faults.raise_if_any()
            return [self._move(entry, f"{time.time_ns():020d}") for entry in entries]

    def restore(self, ids: Sequence[str]) -> list[str]:
        """Take runs and studies back from the trash to where they lay; their names. KeyError for one that is not there;
        UserError where something else lies there by now."""
        with self._lock:
            known = {one.id: one for one in self.trashed()}
            asked = [known[id] for id in dict.fromkeys(ids)]
            for one in asked:
                if os.path.lexists(one.home):
                    fail("listing.place-taken", name=one.name)
            for one in asked:
                _rename(one.path, one.home)
                _drop_empty(one.path.parent)
            return [one.name for one in asked]

    def trashed(self) -> list[Trashed]:
        """What lies in the trash, the last one deleted first."""
        found = [one for root in self._index.roots for one in self._in(root)]
        return sorted(found, key=lambda one: one.id, reverse=True)

    def _in(self, root: Path) -> list[Trashed]:
        trash = root / TRASH
        if trash.is_symlink() or not trash.is_dir():
            return []
        found: list[Trashed] = []
        for batch in trash.iterdir():
            if batch.name.isdigit() and not batch.is_symlink():
                for path in _runs_in(batch, _DEEPEST):
                    home = root / path.relative_to(batch)
                    found.append(Trashed(batch.name, self._index.name_of(home), path, home))
        return found

    def _entry(self, id: str) -> IndexEntry:
        entry = self._index.find(id)
        if entry is None:
            raise KeyError(id)
        return entry

    def _check(self, entry: IndexEntry, faults: Faults) -> None:
        if entry.path in self._index.roots:
            faults.add("listing.is-the-folder", name=entry.name)
        elif entry.study:
            faults.add("listing.is-in-study", name=entry.name)
        elif any(_is_busy(path) for path in _runs_in(entry.path, _DEEPEST, inside=True)):
            faults.add("listing.is-busy", name=entry.name)

    def _move(self, entry: IndexEntry, batch: str) -> Trashed:
        root = next(root for root in self._index.roots if entry.path.is_relative_to(root))
        if (root / TRASH).is_symlink():
            fail("listing.trash-is-link", path=root / TRASH)
        path = root / TRASH / batch / entry.path.relative_to(root)
        _rename(entry.path, path)
        return Trashed(batch, entry.name, path, entry.path)


def _rename(source: Path, target: Path) -> None:
    try:
        make_folder(target.parent)
        rename(source, target)
        sync_folder(source.parent)
    except OSError as error:
        raise storage_error(source, error) from error


def _runs_in(folder: Path, depth: int, *, inside: bool = False) -> list[Path]:
    """The runs and studies in a folder, that itself among them; those in others only where `inside` is asked for."""
    is_one = RunFolder(folder).recipe.is_file() or StudyFolder(folder).is_there
    if (is_one and not inside) or not depth or folder.is_symlink():
        return [folder] if is_one else []
    try:
        below = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        below = []
    return [*([folder] if is_one else []), *(one for path in below for one in _runs_in(path, depth - 1, inside=inside))]


def _is_busy(folder: Path) -> bool:
    """Whether a training writes in the folder just now."""
    journal = RunFolder(folder).journal
    return journal.is_file() and is_locked(journal)


def _drop_empty(folder: Path) -> None:
    """Remove a folder of the trash that is empty by now, and those above it."""
    while folder.name != TRASH:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
