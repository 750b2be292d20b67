"""Durable files: what is named here is whole, or not there at all, whatever moment the power fails.

A file that a process is killed over, or that the disk has no room for, never takes the place of a good one: bytes are
written under a temporary name, forced to the disk (fsync of the file, then of its folder) and renamed.
Every write, fsync and rename of danlu's results goes through `write_file`, `sync_folder` and `rename` below, which is
what lets a test fail each of them in turn.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path

from danlu.base.errors import Fault, StorageError, fail

TEMPORARY = ".tmp-"
DELETES_OPEN_FILES = os.name != "nt"
"""Whether a file can be deleted that is open; Windows refuses."""


def absolute(path: str | Path) -> Path:
    """A path that stays the same wherever the program goes. UserError where the working folder has been deleted."""
    try:
        return Path(path).absolute()
    except FileNotFoundError:
        fail("files.no-working-folder", path=path)


def write_file(path: Path, content: bytes) -> None:
    """Write a new file and force its bytes to the disk."""
    binary = getattr(os, "O_BINARY", 0)  # Windows would otherwise change line ends
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | binary, 0o644)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Force a folder's list of names to the disk (where the system has that: Windows does not)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give `source` the name `target` in one indivisible act, and force that to the disk."""
    os.replace(source, target)
    sync_folder(target.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`: readers see the old bytes or the new ones, never a mixture."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        write_file(temporary, content)
        rename(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from error


@contextlib.contextmanager
def replaced_in_pieces(path: Path) -> Generator[Callable[[bytes], object]]:
    """Put at `path`, whose folder is made, what is handed over piece by piece once the block has ended well; else all
    stays as it was. StorageError for what the disk refuses.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "lines.txt"
    >>> with replaced_in_pieces(place) as write:
    ...     _ = write(b"one, "), write(b"two")
    >>> place.read_bytes()
    b'one, two'
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    left = [temporary, *(folder for folder in path.parents if not folder.exists())]
    try:
        make_folder(path.parent)
        with temporary.open("wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        rename(temporary, path)
        left.clear()
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        discard(left)


def new_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole or not at all. FileExistsError where something stands there; OSError."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        write_file(temporary, content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # a file system that knows no second names
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def put_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder `path` with all of `files` in it, at once or not at all."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        make_folder(path.parent)
        temporary.mkdir()
        for name, content in files.items():
            write_file(temporary / name, content)
        sync_folder(temporary)
        rename(temporary, path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise storage_error(path, error) from error


@contextlib.contextmanager
def new_folder(path: Path) -> Generator[Path]:
    """A folder to write files into that becomes `path` once the block has ended well, at once or not at all; where
    another process has made `path` meanwhile, that one stays. StorageError for what the disk refuses.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "kept"
    >>> with new_folder(place) as folder:
    ...     write_file(folder / "a", b"1")
    >>> (place / "a").read_bytes()
    b'1'
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name}-{os.getpid()}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        make_folder(temporary)
        yield temporary
        sync_folder(temporary)
        if not path.exists():
            rename(temporary, path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def free_bytes(path: Path) -> int:
    """How many bytes the disk has room for where `path` is, or would be.

    >>> free_bytes(Path("no/such/folder")) > 0
    True
    """
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    return shutil.disk_usage(there).free


def make_folder(path: Path) -> None:
    """Make the folder `path`, and those above it, where they are missing; each name is forced to the disk."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def discard(paths: Iterable[Path]) -> None:
    """Delete files and empty folders; what cannot be deleted stays."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def remove_folder(path: Path, first: str) -> None:
    """Delete the folder `path` if there is one; its file `first`, without which it counts for nothing, goes first.

    That one is gone for good before anything else is touched, so a folder half-deleted is never taken for a whole one.
    """
    if not path.is_dir():
        return
    try:
        (path / first).unlink(missing_ok=True)
        sync_folder(path)
        shutil.rmtree(path)
    except OSError as error:
        raise storage_error(path, error) from error


def remove_leftovers(folder: Path) -> None:
    """Delete what an interrupted write left in `folder` under a temporary name."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        try:
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()
        except OSError as error:
            raise storage_error(leftover, error) from error


def storage_error(path: Path, error: OSError) -> StorageError:
    """The error a user reads for what the disk refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(Fault("files.no-space", {"path": path}))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(Fault("files.not-writable", {"path": path}))
    return StorageError(Fault("files.refused", {"path": path, "reason": error.strerror or error}))
