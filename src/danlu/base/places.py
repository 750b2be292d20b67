"""Where things lie: the one place that reads the environment (data root, cache, language)."""

import contextlib
import locale
import math
import os
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

DATA_VARIABLE = "DANLU_DATA"
LANGUAGE_VARIABLE = "DANLU_LANG"
MAX_FILE_VARIABLE = "DANLU_MAX_FILE_GB"
OVERVIEW_VARIABLE = "DANLU_OVERVIEW"
PROGRAM_VARIABLE = "DANLU_PROGRAM"
MAX_FILE_GB = 8.0
CACHE_VARIABLE = "DANLU_CACHE_GB"
CACHE_GB = 32.0
_RENDEZVOUS_VARIABLE = "DANLU_RENDEZVOUS"
_INTERFACE_VARIABLE = "GLOO_SOCKET_IFNAME"
_NO_TELEMETRY = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "GIT_PYTHON_REFRESH": "quiet",
    "WANDB_ERROR_REPORTING": "false",
}


def cache_folder() -> Path:
    """Folder for downloaded data sets: `$XDG_CACHE_HOME/danlu`, else `~/.cache/danlu`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "danlu"


def font_folders() -> list[Path]:
    """The folders in which systems keep fonts, those that exist: the user's own first."""
    home = Path.home()
    named = {
        "win32": [(os.environ.get("LOCALAPPDATA"), "Microsoft/Windows/Fonts"), (os.environ.get("WINDIR"), "Fonts")],
        "darwin": [(home, "Library/Fonts"), ("/Library", "Fonts"), ("/System/Library", "Fonts")],
    }.get(
        sys.platform,
        [
            (os.environ.get("XDG_DATA_HOME") or home / ".local" / "share", "fonts"),
            (home, ".fonts"),
            *((root, "fonts") for root in (os.environ.get("XDG_DATA_DIRS") or "").split(":")),
            ("/usr/local/share", "fonts"),
            ("/usr/share", "fonts"),
        ],
    )
    folders = (Path(root) / below for root, below in named if root)
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def progress_file() -> Path:
    """Which exercises are solved: `danlu/exercises.json` in `$XDG_DATA_HOME`, else in `~/.local/share`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "danlu" / "exercises.json"


def max_file_bytes() -> int:
    """How many bytes one file may bring into memory, unpacked: `$DANLU_MAX_FILE_GB` in GiB, else 8 GiB."""
    return _gibibytes(MAX_FILE_VARIABLE, MAX_FILE_GB)


def cache_bytes() -> int:
    """How many bytes of decoded pictures and rows of large tables are kept: `$DANLU_CACHE_GB` in GiB, else 32 GiB."""
    return _gibibytes(CACHE_VARIABLE, CACHE_GB)


def _gibibytes(variable: str, otherwise: float) -> int:
    """The bytes that a variable names in GiB; `otherwise` where it names no such number."""
    try:
        named = float(os.environ.get(variable, ""))
    except ValueError:
        named = otherwise
    return int((named if 0 < named < math.inf else otherwise) * 2**30)


def draws_overviews() -> bool:
    """Whether a run that has ended gets its poster: not where `$DANLU_OVERVIEW` is 0, off, no or false."""
    return _is_on(OVERVIEW_VARIABLE)


def keeps_programs() -> bool:
    """Whether a run of the user's own net keeps it as a program, too: not where `$DANLU_PROGRAM` is 0, off, no or
    false.
    """
    return _is_on(PROGRAM_VARIABLE)


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("0", "off", "no", "false")


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


def tracker_variable(name: str) -> str | None:
    """What the environment says to an experiment tracker, such as `$MLFLOW_TRACKING_URI`; None where that is not set.

    >>> tracker_variable("NO_SUCH_VARIABLE") is None
    True
    """
    return os.environ.get(name) or None


def without_telemetry() -> None:
    """Let trackers that this process starts report nothing about themselves, unless the environment says otherwise."""
    for name, value in _NO_TELEMETRY.items():
        os.environ.setdefault(name, value)


def environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that is started, with `more` variables.

    >>> environment_with({"DANLU_EVENT": "end"})["DANLU_EVENT"]
    'end'
    """
    return {**os.environ, **more}


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


@dataclass(frozen=True)
class Launched:
    """What torch's elastic launcher tells each process that it has started."""

    rank: int
    world: int
    on_this_machine: int  # processes of the same training here
    place_here: int  # this one among them
    restarts: int  # how often the launcher has started all of them anew
    job: str  # the same for all of them, and after a restart
    rendezvous: Path | None  # the folder in which they find each other; None: at the launcher's own address


def launched() -> Launched | None:
    """Who this process is among several of one training; None where it was started alone."""
    try:
        rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    except (KeyError, ValueError):
        return None
    folder = os.environ.get(_RENDEZVOUS_VARIABLE)
    # The launcher's own name for a job is often "none"; the process that it is lives as long as the job.
    return Launched(
        rank,
        world,
        _counted("LOCAL_WORLD_SIZE", world),
        _counted("LOCAL_RANK", rank),
        _counted("TORCHELASTIC_RESTART_COUNT", 0),
        f"{os.environ.get('TORCHELASTIC_RUN_ID', '')}/{os.getppid()}",
        Path(folder) if folder else None,
    )


def job_here(name: str) -> str:
    """What the job `name` of a launcher in this process is called where it runs.

    >>> job_here("none") == f"none/{os.getpid()}"
    True
    """
    return f"{name}/{os.getpid()}"


def is_follower() -> bool:
    """Whether another process of the same training speaks for this one too."""
    own = launched()
    return own is not None and own.rank > 0


def stay_on_this_machine() -> None:
    """Processes that all run here listen to each other on the loopback interface, unless the user named another."""
    os.environ.setdefault(_INTERFACE_VARIABLE, "lo0" if sys.platform == "darwin" else "lo")


@contextlib.contextmanager
def rendezvous_in(folder: Path) -> Generator[None]:
    """Processes started in this block find each other by files in `folder`: nothing listens for that."""
    own = {_RENDEZVOUS_VARIABLE: str(folder), "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _counted(name: str, otherwise: int) -> int:
    try:
        return int(os.environ[name])
    except (KeyError, ValueError):
        return otherwise
