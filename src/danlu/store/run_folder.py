"""The folder of one run: recipe.toml, environment.json, journal.jsonl and checkpoints/."""

import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.naming import listed

LONGEST_NAME = 100
_LONGEST_TEXT = 2**18
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
    def package(self) -> Path:
        return self.path / "package.json"

    @property
    def program(self) -> Path:
        return self.path / "net.pt2"

    @property
    def layers(self) -> Path:
        """The net as a row of torch's own layers, where it is nothing else."""
        return self.path / "net.safetensors"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def overview(self) -> Path:
        return self.path / "overview.png"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @classmethod
    def open(cls, path: Path) -> Self:
        """The run that lies at `path`; UserError saying what is missing where none does."""
        found = standing(path)
        if found == "nothing":
            siblings = entries(path.parent) if standing(path.parent) == "folder" else []
            fail("store.no-such-run", path=path, hint=nearest(path.name, (entry.name for entry in siblings)))
        if found == "file":
            fail("store.not-a-folder", path=path)
        run = cls(path)
        missing = [file.name for file in (run.recipe, run.journal) if not file.is_file()]
        if missing:
            inside = sorted(entry.name for entry in entries(path) if cls(entry).recipe.is_file())
            hint = Fault("store.runs-inside", {"names": listed(inside, 5)}) if inside else ""
            fail("store.not-a-run", path=path, missing=", ".join(missing), hint=hint)
        return run


def folder_stem(net: str, data: str) -> str:
    """A name for a folder of what `net` learns on `data`, whatever signs stand in either.

    >>> folder_stem("LeNet5", "digits"), folder_stem("<lambda>", "a:b/c d.csv")
    ('lenet5-digits', 'lambda-a-b-c-d-csv')
    """
    return re.sub(r"[^\w]+", "-", f"{net}-{data}").lower().strip("-")[:60]


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


def standing(path: Path) -> Literal["nothing", "file", "folder"]:
    """What stands at `path`; UserError where that cannot be told."""
    try:
        return "folder" if stat.S_ISDIR(path.stat().st_mode) else "file"
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: no path can hold a NUL
        return "nothing"
    except OSError as error:
        fail("store.unreadable", path=path, reason=error.strerror or error)


def missing_folders(path: Path) -> list[Path]:
    """The folder `path` and those above it that are not there yet, the innermost first."""
    return [folder for folder in (path, *path.parents) if standing(folder) == "nothing"]


def text_of(path: Path) -> str:
    """What stands in a recipe, a design or an environment; "" where it cannot be read, and no more than 256 kB."""
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_TEXT).decode(errors="replace")
    except OSError:
        return ""


def entries(folder: Path) -> list[Path]:
    """What lies in `folder`; UserError where that cannot be told."""
    try:
        return list(folder.iterdir())
    except OSError as error:
        fail("store.unreadable", path=folder, reason=error.strerror or error)
