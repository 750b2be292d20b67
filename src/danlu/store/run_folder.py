"""The folder of one run: recipe.toml, environment.json, journal.jsonl and checkpoints/."""

import contextlib
import hashlib
import json
import stat
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.files import TEMPORARY, make_folder, replace_file, storage_error, write_file

LONGEST_NAME = 100
_LONGEST_NAME_BYTES = 200  # file systems allow 255 bytes, and a name may grow a suffix
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789")}


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run's folder.

    >>> RunFolder(Path("runs/lenet5-digits-3f2a")).recipe.as_posix()
    'runs/lenet5-digits-3f2a/recipe.toml'
    """

    path: Path

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.toml"

    @property
    def environment(self) -> Path:
        return self.path / "environment.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @classmethod
    def create(cls, parent: Path, stem: str, recipe_toml: str, environment: Mapping[str, Any]) -> Self:
        """A new folder `parent/stem-xxxx`, xxxx from the recipe's text; -2, -3 … is added where the name is taken."""
        check_name(stem)
        name = f"{stem}-{hashlib.sha256(recipe_toml.encode()).hexdigest()[:4]}"
        count = 1
        while True:
            run = cls(parent / (name if count == 1 else f"{name}-{count}"))
            if _standing(run.path) == "nothing" and run._filled(recipe_toml, environment):
                return run
            count += 1

    @classmethod
    def create_at(cls, path: Path, recipe_toml: str, environment: Mapping[str, Any]) -> Self:
        """A new run in the folder `path`, which must be absent or empty."""
        run = cls(path)
        standing = _standing(path)
        if standing == "nothing":
            check_name(path.absolute().name)
        elif standing == "file":
            fail("store.not-a-folder", path=path)
        elif any(entry == run.recipe for entry in _entries(path)):
            fail("store.holds-a-run", path=path)
        elif not run._emptied():
            fail("store.not-empty", path=path)
        if not run._filled(recipe_toml, environment):
            fail("store.holds-a-run", path=path)
        return run

    @classmethod
    def open(cls, path: Path) -> Self:
        """The run that lies at `path`; UserError saying what is missing where none does."""
        standing = _standing(path)
        if standing == "nothing":
            siblings = _entries(path.parent) if _standing(path.parent) == "folder" else []
            fail("store.no-such-run", path=path, hint=nearest(path.name, (entry.name for entry in siblings)))
        if standing == "file":
            fail("store.not-a-folder", path=path)
        run = cls(path)
        missing = [file.name for file in (run.recipe, run.journal) if not file.is_file()]
        if missing:
            inside = sorted(entry.name for entry in _entries(path) if cls(entry).recipe.is_file())
            hint = Fault("store.runs-inside", {"names": ", ".join(inside[:5])}) if inside else ""
            fail("store.not-a-run", path=path, missing=", ".join(missing), hint=hint)
        return run

    def _emptied(self) -> bool:
        """Whether the folder is empty, once what a creation killed half-way left in it has been cleared away."""
        begun = {self.environment, self.journal, self.checkpoints, self.path / f"{TEMPORARY}{self.recipe.name}"}
        entries = _entries(self.path)
        if entries and self.checkpoints not in entries:  # it is made first: the files are somebody else's
            return False
        if not begun.issuperset(entries) or (self.journal in entries and self.journal.stat().st_size):
            return False
        if self.checkpoints in entries and _entries(self.checkpoints):
            return False
        for entry in entries:
            entry.rmdir() if entry == self.checkpoints else entry.unlink()
        return True

    def _filled(self, recipe_toml: str, environment: Mapping[str, Any]) -> bool:
        """Make the folder and its files; False where another process was first. A failure leaves nothing behind.

        Making `checkpoints/` is the lock. The recipe comes last: where it stands, all else does.
        """
        made = [folder for folder in (self.path, *self.path.parents) if _standing(folder) == "nothing"]
        locked = False
        try:
            make_folder(self.path)
            try:
                self.checkpoints.mkdir()
            except FileExistsError:
                return False
            locked = True
            write_file(self.environment, json.dumps(environment, indent=2, ensure_ascii=False).encode() + b"\n")
            write_file(self.journal, b"")
            replace_file(self.recipe, recipe_toml.encode())
        except BaseException as error:
            ours = list(self.path.iterdir()) if locked else []
            for path in (*ours, *made):
                with contextlib.suppress(OSError):
                    path.rmdir() if path.is_dir() else path.unlink()
            if isinstance(error, OSError):
                raise storage_error(self.path, error) from error
            raise
        return True


def check_name(name: str) -> None:
    """UserError unless `name` can name a folder on Linux, macOS and Windows alike, and nothing outside of its parent.

    >>> check_name("lenet5-mnist")
    """
    faults = Faults()
    if not name.strip():
        faults.add("store.name-empty")
    strange = sorted({sign for sign in name if sign in '/\\:<>"|?*' or unicodedata.category(sign) in _UNPRINTABLE})
    if strange:
        faults.add("store.name-signs", name=repr(name), signs=" ".join(repr(sign)[1:-1] for sign in strange))
    elif name.strip() and (name.startswith((".", " ")) or name.endswith((".", " "))):
        faults.add("store.name-ends", name=repr(name))
    if name.partition(".")[0].strip().upper() in _RESERVED:
        faults.add("store.name-reserved", name=repr(name))
    if len(name) > LONGEST_NAME or len(name.encode(errors="replace")) > _LONGEST_NAME_BYTES:
        faults.add("store.name-too-long", name=repr(f"{name[:20]}…"), found=len(name), limit=LONGEST_NAME)
    faults.raise_if_any()


def _standing(path: Path) -> Literal["nothing", "file", "folder"]:
    """What stands at `path`; UserError where that cannot be told."""
    try:
        return "folder" if stat.S_ISDIR(path.stat().st_mode) else "file"
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: no path can hold a NUL
        return "nothing"
    except OSError as error:
        fail("store.unreadable", path=path, reason=error.strerror or error)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        fail("store.unreadable", path=folder, reason=error.strerror or error)
