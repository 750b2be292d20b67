"""What danlu keeps in the cache folder to be faster another time, decoded pictures and the rows of large tables: of
bounded size, the least recently used making way; never what a process is using.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from danlu.base.files import TEMPORARY
from danlu.base.places import CACHE_VARIABLE, cache_bytes, cache_folder
from danlu.base.telling import tell
from danlu.base.words import say

FACTS = "facts.json"
"""The file without which a kept folder counts for nothing; its time is when the folder was last used."""
# A folder of decoded pictures, the columns of a table, and inside those the rows as nets take them.
_KEPT = (f"pictures/*/*/{FACTS}", f"tables/*/*/{FACTS}", f"tables/*/*/encoded-*/{FACTS}")
_LOCK, _LOCKS = "use-", "use-*.lock"
_ABANDONED = 24 * 3600  # seconds after which nobody writes any more on what stands under a temporary name
_held: dict[Path, tuple[int, Path]] = {}


def used(folder: Path) -> None:
    """Note that a kept folder has just been used."""
    with contextlib.suppress(OSError):
        os.utime(folder / FACTS)


def hold(folder: Path) -> None:
    """Keep a folder from making way for as long as this process lives. Each process locks a file of its own in there,
    so that several can hold it, and none holds it any longer than it lives, however it ends.
    """
    import filelock

    used(folder)
    if folder in _held and _held[folder][1].exists():
        return
    _let_go(folder)
    with contextlib.suppress(OSError):  # a disk that cannot be written to: nothing is removed from it either
        descriptor, name = tempfile.mkstemp(prefix=_LOCK, suffix=".lock", dir=folder)
        filelock.lock_descriptor(descriptor, blocking=False)
        _held[folder] = descriptor, Path(name)


def make_room(needed: int) -> None:
    """Remove what was not used for longest until so many bytes more stay within the bound; what was removed is told."""
    cache, limit = cache_folder(), cache_bytes()
    total = sum(_size(cache / kind) for kind in ("pictures", "tables"))
    freed, count = 0, 0
    for folder in _by_use(cache) if total + needed > limit else ():
        if total - freed + needed <= limit:
            break
        size = _drop(folder)
        freed, count = freed + size, count + bool(size)
    if count:
        told = {"size": f"{freed / 2**30:.2f}", "limit": f"{limit / 2**30:g}", "variable": CACHE_VARIABLE}
        tell(say("data.cache-made-room", folder=cache, count=count, **told))


def forget(folders: Iterable[Path]) -> None:
    """Remove what has become of no use, such as an earlier state of the same files, unless another process uses it or
    is still writing it.
    """
    for folder in folders:
        with contextlib.suppress(OSError):
            if folder.name.startswith(TEMPORARY) and time.time() - folder.stat().st_mtime < _ABANDONED:
                continue
        for own in [own for own in _held if own == folder or own.is_relative_to(folder)]:
            _let_go(own)
        _drop(folder)


def _by_use(cache: Path) -> Iterator[Path]:
    """The kept folders, the least recently used first."""
    found: list[tuple[float, Path]] = []
    for pattern in _KEPT:
        for facts in cache.glob(pattern):
            with contextlib.suppress(OSError):
                found.append((facts.stat().st_mtime, facts.parent))
    return (folder for _, folder in sorted(found))


def _drop(folder: Path) -> int:
    """Remove a folder that no process holds, under another name first, so that none begins to use it meanwhile; how
    many bytes that gave back.
    """
    if _is_in_use(folder):
        return 0
    gone = folder.with_name(f"{TEMPORARY}{folder.name}-gone")
    try:
        folder.rename(gone)
    except OSError:  # another process removed it, or has a file of it open on a system that minds
        return 0
    if _is_in_use(gone):
        with contextlib.suppress(OSError):
            gone.rename(folder)
        return 0
    size = _size(gone)
    shutil.rmtree(gone, ignore_errors=True)
    return size


def _is_in_use(folder: Path) -> bool:
    """Whether a process holds the folder, or one inside it."""
    import filelock

    for lock in folder.rglob(_LOCKS):
        with contextlib.suppress(OSError):  # it has just been removed
            descriptor = os.open(lock, os.O_RDWR)
            try:
                if not filelock.lock_descriptor(descriptor, blocking=False):
                    return True
            finally:
                os.close(descriptor)
    return False


def _let_go(folder: Path) -> None:
    """Hold a folder no longer in this process."""
    if folder in _held:
        descriptor, lock = _held.pop(folder)
        os.close(descriptor)
        with contextlib.suppress(OSError):
            lock.unlink()


def _size(folder: Path) -> int:
    """How many bytes the files below a folder have."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.lstat().st_size if file.is_file() else 0
    return total
