"""Where a data set of the catalogue lies: under a data root, or fetched into the cache."""

import contextlib
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, fail
from danlu.base.places import DATA_VARIABLE, cache_folder, data_roots
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.data.catalogue import DataEntry, RemoteFile

# Seconds to wait for a connection and for its next bytes: a mirror that does not answer must not hold up the next one.
TIMEOUT = (5, 30)


def locate(entry: DataEntry, root: str | None) -> Path:
    """The folder or archive of `entry` under `root`, $DANLU_DATA or the cache, fetched if it is nowhere."""
    if root is not None and not Path(root).expanduser().is_dir():
        fail("data.no-root", root=root)
    return find(entry, root) or fetch(entry, root)


def find(entry: DataEntry, root: str | None) -> Path | None:
    """The folder or archive of `entry`, without a network; what users put there is not checked against the hashes."""
    for place in data_roots(root):
        for layout in entry.layouts:
            candidates = [place] if place.match(layout) else []
            candidates += sorted(place.glob(layout)) if place.is_dir() else []
            for candidate in candidates:
                if candidate.is_file() or (entry.needs and not missing_files(entry, candidate)):
                    return candidate
    return None


def missing_files(entry: DataEntry, folder: Path) -> list[str]:
    """The files of `entry` that `folder` lacks."""
    return [name for name in entry.needs if not any((folder / file).is_file() for file in (name, f"{name}.gz"))]


def fetch(entry: DataEntry, root: str | None) -> Path:
    """Download the files of `entry` into the cache, each from the first mirror that gives it whole."""
    if not entry.mirrors:
        fail("data.by-hand", **_missing(entry, root))
    folder = cache_folder() / entry.name
    mirrors = list(entry.mirrors)
    tell(say("data.fetching", name=entry.name, folder=folder))
    for file in entry.files:
        reasons: list[str] = []
        for mirror in tuple(mirrors):
            try:
                download(mirror + (file.remote or file.name), file, folder)
                break
            except (OSError, ValueError) as error:
                reasons.append(f"{mirror}: {type(error).__name__}")
                mirrors.append(mirrors.pop(0))
        else:
            for place in (folder, folder.parent):  # made for the download, and of no use if empty
                with contextlib.suppress(OSError):
                    place.rmdir()
            fail("data.unavailable", reasons="; ".join(reasons), **_missing(entry, root))
    return find(entry, root) or folder


def download(url: str, file: RemoteFile, folder: Path) -> None:
    """Fetch one file and check its hash; OSError where the network, ValueError where the hash fails."""
    import pooch

    pooch.get_logger().setLevel("ERROR")
    downloader: Any = pooch.HTTPDownloader(timeout=TIMEOUT)
    pooch.retrieve(url, file.known_hash, fname=file.name, path=folder, downloader=downloader)


def _missing(entry: DataEntry, root: str | None) -> dict[str, Any]:
    """What a user must know to put the files there by hand."""
    pickled = [path for place in data_roots(root) for layout in entry.pickled for path in place.glob(layout)]
    return {
        "name": entry.name,
        "files": ", ".join(file.name for file in entry.files),
        "folder": entry.name,
        "variable": DATA_VARIABLE,
        "cache": cache_folder(),
        "page": entry.page,
        "hint": Fault("data.pickled-found", {"path": pickled[0]}) if pickled else "",
    }
