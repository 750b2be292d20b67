"""A run folder in the making: nobody else's, and no run before its recipe stands."""

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from danlu.base.errors import StorageError, fail
from danlu.base.files import (
    DELETES_OPEN_FILES,
    TEMPORARY,
    absolute,
    discard,
    make_folder,
    replace_file,
    storage_error,
    sync_folder,
    write_file,
)
from danlu.base.strict_json import to_json
from danlu.store.file_lock import lock_file
from danlu.store.journal import Journal
from danlu.store.run_folder import RunFolder, check_name, entries, missing_folders, standing
from danlu.store.turns import take_turn

_FIRST_CHECKPOINT, _ANY_CHECKPOINT = re.compile("step-0{8}"), re.compile(r"step-\d{8,}")


class NewRun:
    """A claimed run folder: its journal is open and locked, a first checkpoint may come; `establish` makes it a run.

    A context manager. Left before `establish`, it takes all that was made away again; what a process killed before that
    leaves behind, `at` clears away.

    >>> import tempfile
    >>> with NewRun.named(Path(tempfile.mkdtemp()), "mlp-digits", "", {}) as new:
    ...     new.establish()
    >>> RunFolder.open(new.place.path) == new.place
    True
    """

    def __init__(self, path: Path, recipe_toml: str, made: Sequence[Path], journal: Journal) -> None:
        self.place = RunFolder(absolute(path))
        self.journal = journal
        self._recipe = recipe_toml
        self._made = made
        self._established = False
        self._filled = False

    @classmethod
    def named(
        cls, parent: Path, stem: str, recipe_toml: str, environment: Mapping[str, Any], package: bytes | None = None
    ) -> Self:
        """In a new folder `parent/stem-xxxx`, xxxx from the recipe's text; -2, -3 … is added where that is taken."""
        check_name(stem)
        absolute(parent)  # tells where there is none
        name = f"{stem}-{hashlib.sha256(recipe_toml.encode()).hexdigest()[:4]}"
        count = 1
        while True:
            path = parent / (name if count == 1 else f"{name}-{count}")
            made = missing_folders(path)
            if path in made and _make(path, made):
                return cls._claimed(path, recipe_toml, environment, package, made)
            count += 1

    @classmethod
    def at(cls, path: Path, recipe_toml: str, environment: Mapping[str, Any], package: bytes | None = None) -> Self:
        """In the folder `path`, which must be absent or empty."""
        found = standing(path)
        if found == "file":
            fail("store.not-a-folder", path=path)
        if found == "nothing":
            check_name(absolute(path).name)
        else:
            _refuse_content(path)
        made = missing_folders(path)
        _make(path, made)
        return cls._claimed(path, recipe_toml, environment, package, made)

    @classmethod
    def _claimed(
        cls,
        path: Path,
        recipe_toml: str,
        environment: Mapping[str, Any],
        package: bytes | None,
        made: Sequence[Path],
    ) -> Self:
        """Lock the folder, and put into it all but the recipe."""
        try:
            journal = Journal(RunFolder(path).journal)
        except BaseException:
            discard(made)
            raise
        new = cls(path, recipe_toml, made, journal)
        try:
            _refuse_content(path)  # once more: before the lock another process may have come
            new._clear()
            new.place.checkpoints.mkdir()
            sync_folder(new.place.path)  # by it a creation cut short is known as such: it must outlive what follows
            write_file(new.place.environment, to_json(environment, indent=2).encode() + b"\n")
            if package is not None:
                write_file(new.place.package, package)
        except BaseException as error:
            new.close()
            if isinstance(error, OSError):
                raise storage_error(path, error) from error
            raise
        return new

    def begin_with(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Put into the journal what the run takes over from another, durably; a first checkpoint of any step may come.

        An unfinished recipe stands there from now on: by it a creation cut short is known as such.
        """
        try:
            write_file(_unfinished(self.place.recipe), b"")
            sync_folder(self.place.path)
        except OSError as error:
            raise storage_error(self.place.path, error) from error
        self._filled = True
        for entry in entries:
            self.journal.write(entry)
        self.journal.sync()

    def establish(self) -> None:
        """Put the recipe there, durably: from now on this is a run, and stays."""
        try:
            sync_folder(self.place.path)  # no recipe may outlive a power failure that what it claims does not
            replace_file(self.place.recipe, self._recipe.encode())
        except BaseException as error:
            discard([self.place.recipe])  # renamed already, but not durably
            if isinstance(error, OSError):
                raise storage_error(self.place.path, error) from error
            raise
        self._established = True
        take_turn(self.place.recipe)

    def close(self) -> None:
        """Take all away unless it is a run, and let the folder go."""
        if not self._established and _only_begun(self.place, filled=self._filled):
            self._clear()
            if not DELETES_OPEN_FILES:
                self.journal.close()
            discard([self.place.journal, *self._made])
        self.journal.close()

    def _clear(self) -> None:
        """Leave nothing but the journal, without a record.

        Each thing goes before that by which it is known as a creation's, so that also this may be cut short.
        """
        self.journal.empty()
        for inside in entries(self.place.checkpoints) if standing(self.place.checkpoints) == "folder" else ():
            shutil.rmtree(inside, ignore_errors=True)
        discard([self.place.environment, self.place.package])
        shutil.rmtree(self.place.checkpoints, ignore_errors=True)
        discard([_unfinished(self.place.recipe)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except StorageError:
            if error is None:  # else what ended the block is told, and not that nothing can be written any more
                raise


def _make(path: Path, missing: Sequence[Path]) -> bool:
    """Make the folder `path`; False where another process was first."""
    try:
        make_folder(path.parent)
        try:
            path.mkdir()
        except FileExistsError:
            return False
        sync_folder(path.parent)
        return True
    except BaseException as error:
        discard(missing)
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        raise


def _unfinished(file: Path) -> Path:
    return file.with_name(f"{TEMPORARY}{file.name}")


def _refuse_content(path: Path) -> None:
    """UserError unless the folder is empty, or holds no more than what a creation killed half-way left."""
    place = RunFolder(path)
    inside = entries(path)
    if place.recipe in inside:
        fail("store.holds-a-run", path=path)
    if inside and not _only_begun(place):
        fail("store.not-empty", path=path)


def _only_begun(place: RunFolder, *, filled: bool = False) -> bool:
    """Whether the folder holds what a creation puts there before the recipe, and nothing of anybody else's; where the
    journal was `filled`, which an unfinished recipe tells as well, also records and a checkpoint of any step.
    """
    inside = entries(place.path)
    begun = {place.environment, place.package, place.journal, place.checkpoints, _unfinished(place.recipe)}
    begun.add(lock_file(place.journal))
    if not begun.issuperset(inside):
        return False
    filled = filled or _unfinished(place.recipe) in inside
    if place.journal not in inside or (place.journal.stat().st_size and not filled):  # it comes first, and is empty
        return False
    if place.checkpoints not in inside:
        return not {place.environment, place.package} & set(inside)
    saved = [entry.name for entry in entries(place.checkpoints)]
    first = _ANY_CHECKPOINT if filled else _FIRST_CHECKPOINT
    return all(first.fullmatch(name) or name.startswith(TEMPORARY) for name in saved)
