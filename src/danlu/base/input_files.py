"""Opening files that a user names: regular files only, their size known before memory is taken, and one guard.

Whatever reads a user's file goes through here: a pipe, a socket or a device would wait for ever or never end, a small
archive can unpack to more than the machine has, and libraries raise whatever damaged bytes lead them to.
"""

import contextlib
import gzip
import io
import os
import stat
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, Literal, cast

from danlu.base.errors import DanluError, Fault, UserError, fail
from danlu.base.places import MAX_FILE_VARIABLE, max_file_bytes

PathKind = Literal["missing", "file", "folder", "pipe", "socket", "device"]
GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 2**20
# Unpacked bytes for each packed one, above which a file is taken for a bomb: text and tables stay below 100.
MAX_RATIO = 200
# Below this size nothing that is unpacked can do harm, whatever its ratio.
HARMLESS_BYTES = 64 * 2**20


def path_kind(path: str | Path) -> PathKind:
    """What stands at `path`; a name that no file can have (too long, with a zero byte) is missing.

    >>> path_kind(Path(__file__))
    'file'
    """
    try:
        mode = Path(path).stat().st_mode
    except PermissionError:
        return "file"  # opening it will say what is refused
    except (OSError, ValueError):
        return "missing"
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"


def refuse_irregular(path: Path) -> None:
    """UserError where `path` is a pipe, a socket or a device; a folder or nothing at all is not for this to say."""
    kind = path_kind(path)
    if kind in ("pipe", "socket", "device"):
        fail("files.not-regular", path=path, kind=Fault(f"files.kind-{kind}"))


def open_file(path: Path, *, in_pieces: bool = False) -> IO[bytes]:
    """The regular file `path`, opened to read bytes. Raises UserError for anything else, and where it is too large,
    unless it is read `in_pieces`.
    """
    refuse_irregular(path)
    with guarded(path), contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        if not in_pieces:
            refuse_too_large(path, os.fstat(file.fileno()).st_size)
        stack.pop_all()
        return file


def read_file(path: Path) -> bytes:
    """All bytes of the regular file `path`. Raises UserError where it cannot be read whole.

    >>> read_file(Path(__file__))[:3]
    b'\"\"\"'
    """
    with open_file(path) as file, guarded(path):
        # No more is asked for than is there: Python takes memory for all that it is asked to read.
        content = file.read(os.fstat(file.fileno()).st_size + 1)
        while block := file.read(BLOCK_BYTES):  # it grows, or is one of the system's own, which tell no size
            content += block
            refuse_too_large(path, len(content))
        return content


@contextlib.contextmanager
def open_unpacked(path: Path) -> Generator[IO[bytes]]:
    """The bytes of `path`, unpacked on the way where it is gzipped; UserError when they become too many."""
    with open_file(path) as file:
        packed = os.fstat(file.fileno()).st_size
        zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC or path.name.lower().endswith(".gz")
        file.seek(0)
        if not zipped:
            yield file
            return
        with gzip.open(file) as stream:
            bounded = _Unpacking(cast(IO[bytes], stream), path, packed)
            with io.BufferedReader(bounded, BLOCK_BYTES) as reader:
                yield reader


def refuse_too_large(path: Path | str, size: int) -> None:
    """UserError where `size` bytes are more than may be read at once; it says how the limit is raised."""
    limit = max_file_bytes()
    if size > limit:
        values = {"found": f"{size / 2**30:.1f}", "limit": f"{limit / 2**30:g}", "variable": MAX_FILE_VARIABLE}
        fail("files.too-large", path=path, **values)


def refuse_bomb(path: Path, packed: int, unpacked: int) -> None:
    """UserError where `unpacked` bytes out of `packed` ones are too many altogether, or too many for honest data."""
    refuse_too_large(path, unpacked)
    if unpacked > HARMLESS_BYTES and unpacked > MAX_RATIO * max(1, packed):
        fail("files.bomb", path=path, packed=packed, unpacked=unpacked, limit=MAX_RATIO)


@contextlib.contextmanager
def guarded(path: Path | str, damaged: str | None = None, **values: Any) -> Generator[None]:
    """Around whatever reads the content of `path`: out of memory, nested too deep, refused by the system, or a library
    that fell over (a panic is no Exception) becomes a UserError that names the file.

    `damaged` is the phrase for every other error that a library raises; without it those are not caught.
    """
    try:
        yield
    except (DanluError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        fault = _fault_of(error, path, damaged, values)
        if fault is None:
            raise
        raise UserError(fault) from error


def _fault_of(error: BaseException, path: Path | str, damaged: str | None, values: dict[str, Any]) -> Fault | None:
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # the latter is torch's
        return Fault("files.no-memory", {"path": path})
    if isinstance(error, RecursionError):
        return Fault("files.nested-too-deep", {"path": path})
    if isinstance(error, OSError) and error.errno:
        return Fault("files.unreadable", {"path": error.filename or path, "reason": error.strerror or error})
    if damaged is not None:
        return Fault(damaged, {"path": path, "reason": error, **values})
    if not isinstance(error, Exception):
        return Fault("files.damaged", {"path": path, "reason": str(error)[:200]})
    return None


class _Unpacking(io.RawIOBase):
    """A stream of unpacked bytes that refuses to become a bomb."""

    def __init__(self, stream: IO[bytes], path: Path, packed: int) -> None:
        self._stream, self._path, self._packed = stream, path, packed

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._stream.read(len(buffer))
        refuse_bomb(self._path, self._packed, self._stream.tell())
        buffer[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET:
            # A seek forward unpacks all that lies between.
            refuse_bomb(self._path, self._packed, offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
