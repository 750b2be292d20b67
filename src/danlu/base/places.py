"""Where things lie: the one place that reads the environment (data root, cache, language)."""

import contextlib
import locale
import math
import os
import sys
from collections.abc import Generator
from pathlib import Path

DATA_VARIABLE = "DANLU_DATA"
LANGUAGE_VARIABLE = "DANLU_LANG"
MAX_FILE_VARIABLE = "DANLU_MAX_FILE_GB"
MAX_FILE_GB = 8.0


def cache_folder() -> Path:
    """Folder for downloaded data sets: `$XDG_CACHE_HOME/danlu`, else `~/.cache/danlu`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "danlu"


def progress_file() -> Path:
    """Which exercises are solved: `danlu/exercises.json` in `$XDG_DATA_HOME`, else in `~/.local/share`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "danlu" / "exercises.json"


def max_file_bytes() -> int:
    """How many bytes one file may bring into memory, unpacked: `$DANLU_MAX_FILE_GB` in GiB, else 8 GiB."""
    named = os.environ.get(MAX_FILE_VARIABLE, "")
    try:
        limit = float(named)
    except ValueError:
        limit = MAX_FILE_GB
    return int((limit if 0 < limit < math.inf else MAX_FILE_GB) * 2**30)


def data_roots(root: str | None = None) -> list[Path]:
    """Folders to look in for data sets, in order: `root` given, `$DANLU_DATA`, the cache."""
    named = [root, os.environ.get(DATA_VARIABLE)]
    return [Path(place).expanduser() for place in named if place] + [cache_folder()]


def runs_folder() -> Path:
    """Folder that new runs are put in: `runs` under the working directory."""
    return Path("runs")


def claims_folder() -> Path:
    """Folder that claims are tested in: `claims` under the working directory."""
    return Path("claims")


def studies_folder() -> Path:
    """Folder that new studies are put in: `studies` under the working directory."""
    return Path("studies")


def shown(path: str | Path) -> Path:
    """A path as it is typed from here: relative where it lies under the working directory.

    >>> shown(Path.cwd() / "runs" / "mine").as_posix()
    'runs/mine'
    """
    path = Path(path)
    try:
        here = Path.cwd()
    except OSError:  # it has been deleted
        return path
    return path.relative_to(here) if path.is_relative_to(here) and path != here else path


def language_of_environment() -> str:
    """The language that `$DANLU_LANG`, else the locale, asks for: "zh" for any Chinese, "en" for all else."""
    named = os.environ.get(LANGUAGE_VARIABLE)
    if named:
        return "zh" if named.lower().startswith("zh") else "en"
    spoken = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), None)
    if spoken is None:
        spoken = locale.getlocale()[0] or ""
    return "zh" if spoken.lower().startswith(("zh", "chinese")) else "en"


def has_screen() -> bool:
    """Whether a browser with windows can be opened: not over a bare remote shell, where a text browser would take over
    the terminal."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


@contextlib.contextmanager
def variable(name: str, value: str) -> Generator[None]:
    """Let the environment, also of processes that are started meanwhile, have `value` for the length of a block.

    >>> with variable("DANLU_EXAMPLE", "1"):
    ...     os.environ["DANLU_EXAMPLE"]
    '1'
    """
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
