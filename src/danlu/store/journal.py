"""The journal of a run: one JSON record a line, only ever appended to, readable while it is written.

A process killed in the middle of a line leaves a broken one; whoever goes on starts a new line, and readers pass over
the broken one.
"""

import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from danlu.base.errors import Fault, FolderGoneError, StorageError, fail
from danlu.base.files import DELETES_OPEN_FILES, absolute, discard, storage_error, sync_folder
from danlu.base.strict_json import to_json
from danlu.store.file_lock import FileLock
from danlu.store.lines import entry_of
from danlu.store.records import Record

LONGEST_LINE = 16 * 2**20
_CHUNK = 2**20
_TAIL = 64


class Journal:
    """Appends records to the file at `path`, which is made if need be. StorageError, naming it, where the disk refuses.

    While it is open nobody else can open it so (UserError): two trainings in one folder would spoil each other. The
    lock goes with the process, however that ends; processes forked from it do not have it. File systems without locks
    have none.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> with Journal(path) as journal:
    ...     journal.write({"kind": "checkpoint", "step": 100})
    >>> list(read(path))
    [{'kind': 'checkpoint', 'step': 100}]
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lasting = absolute(path)  # the program may change its working folder
        self._buffer = bytearray()
        self._lock: FileLock | None = None
        self._turn = threading.RLock()  # trainings side by side write to one journal
        try:
            self._descriptor, created = _open(path)
        except OSError as error:
            raise storage_error(path, error) from error
        try:
            self._lock = FileLock(self._descriptor, path)
            _refuse_another(self._descriptor, path)
            end = os.lseek(self._descriptor, 0, os.SEEK_END)
            if end:
                os.lseek(self._descriptor, end - 1, os.SEEK_SET)
                if os.read(self._descriptor, 1) != b"\n":
                    self._buffer += b"\n"
            else:
                sync_folder(path.parent)  # the file may be new
        except BaseException as error:
            self._give_up(delete=created)
            if isinstance(error, OSError):
                raise storage_error(path, error) from error
            raise

        _open_here.add(self)

    def _give_up(self, *, delete: bool) -> None:
        if delete and DELETES_OPEN_FILES:  # before anybody else can open it
            self._path.unlink(missing_ok=True)
        self._let_go()
        if delete and not DELETES_OPEN_FILES:
            discard([self._path])

    def _let_go(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
        if self._lock is not None:
            self._lock.release()

    def leave_to_parent(self) -> None:
        """In a process just forked: let go of the file, which workers may outlive the parent with, lock and all."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            if self._lock is not None:
                self._lock.leave()
        self._descriptor = -1
        self._buffer.clear()

    def write(self, entry: Mapping[str, Any]) -> None:
        """Add an object to the buffer, as a line; `flush` hands it to the system. Threads may write side by side."""
        line = to_json(entry).encode() + b"\n"
        with self._turn:
            self._buffer += line

    def add(self, record: Record) -> None:
        """Add a record to the buffer."""
        self.write(record.to_json())

    def flush(self) -> None:
        """Hand all records so far to the system: from then on they survive the death of this process."""
        with self._turn:
            if self._buffer:
                self._refuse_stranger()
            try:
                while self._buffer:
                    written = os.write(self._descriptor, self._buffer)
                    del self._buffer[:written]  # at once, so that a flush after a failure goes on in mid-line
            except OSError as error:
                raise storage_error(self._path, error) from error

    def _refuse_stranger(self) -> None:
        """StorageError where the file that was opened is no longer the one of that name: its folder has been deleted,
        moved or replaced, and nobody would ever read what is written."""
        if self._descriptor < 0:
            return
        try:
            here = os.path.samestat(os.fstat(self._descriptor), self._lasting.stat())
        except (FileNotFoundError, NotADirectoryError):
            here = False
        except OSError as error:
            raise storage_error(self._path, error) from error
        if not here:
            self._buffer.clear()
            raise FolderGoneError(Fault("store.folder-gone", {"folder": self._path.parent}))

    def sync(self) -> None:
        """Force all records so far to the disk: from then on they survive a power failure."""
        self.flush()
        self._refuse_stranger()  # before anything else is put beside it
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise storage_error(self._path, error) from error

    def empty(self) -> None:
        """Take all records out, durably."""
        self._buffer.clear()
        try:
            if os.fstat(self._descriptor).st_size:
                os.ftruncate(self._descriptor, 0)
                os.fsync(self._descriptor)
        except OSError as error:
            raise storage_error(self._path, error) from error

    def close(self) -> None:
        """Flush, and close the file even where that fails."""
        if self._descriptor < 0:
            return
        try:
            self.flush()
        finally:
            self._let_go()

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


_open_here: weakref.WeakSet[Journal] = weakref.WeakSet()


def _leave_all() -> None:
    for journal in _open_here:
        journal.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)


def _open(path: Path) -> tuple[int, bool]:
    """A descriptor to append to the file, and whether it is new."""
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644), True
    except FileExistsError:
        return os.open(path, flags), False


def _refuse_another(descriptor: int, path: Path) -> None:
    """UserError where the file of that name is another by now: whoever held it gave its folder up this very moment."""
    if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
        fail("store.in-use", path=path.parent)


class Entries(Iterator[dict[str, Any]]):
    """The objects of a journal, one after the other; `skipped` counts the lines passed over so far."""

    def __init__(self, path: Path) -> None:
        self._lines = _Lines()
        self._records = self._read(path)

    @property
    def skipped(self) -> int:
        return self._lines.skipped

    def __next__(self) -> dict[str, Any]:
        return next(self._records)

    def _read(self, path: Path) -> Iterator[dict[str, Any]]:
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield from self._lines.feed(chunk)
        except OSError as error:
            fail("store.unreadable", path=path, reason=error.strerror or error)
        yield from self._lines.feed(b"\n")  # the last line may be whole but for its end


def read(path: Path) -> Entries:
    """All objects at `path`; a line that is broken or longer than 16 MB is passed over."""
    return Entries(path)


class Follower:
    """Reads a journal while it is written: each `new()` gives the records that came since the call before.

    The file need not be there yet. A line half-written is waited for. Where the file was replaced or cut short, it is
    read from its start again, and `restarts` is one more: whoever keeps earlier records must then drop them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.restarts = 0
        self.behind = 0
        self._begin()

    @property
    def skipped(self) -> int:
        """The lines passed over so far: broken, or too long."""
        return self._lines.skipped

    def _begin(self) -> None:
        self._lines = _Lines()
        self._offset = 0
        self._tail = b""  # the last bytes read, by which a file that was replaced is known

    def new(self, most: int | None = None) -> list[dict[str, Any]]:
        """The records that came; of at most about `most` bytes, the rest at the next call (`behind` bytes)."""
        records: list[dict[str, Any]] = []
        until = None if most is None else self._offset + most
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset - len(self._tail))
                if file.read(len(self._tail)) != self._tail:
                    self.restarts += 1
                    self._begin()
                    file.seek(0)
                while (until is None or self._offset < until) and (chunk := file.read(_CHUNK)):
                    records += self._lines.feed(chunk)
                    self._offset += len(chunk)
                    self._tail = (self._tail + chunk)[-_TAIL:]
                self.behind = max(0, os.fstat(file.fileno()).st_size - self._offset)
        except FileNotFoundError:
            if self._offset:
                self.restarts += 1
                self._begin()
        except OSError as error:
            fail("store.unreadable", path=self._path, reason=error.strerror or error)
        return records


class _Lines:
    """Puts chunks of bytes together to lines and reads them, never holding more than the longest line allowed."""

    def __init__(self) -> None:
        self.skipped = 0
        self._pending = bytearray()
        self._too_long = False

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            self._add(line)
            yield from self._end_line()
        self._add(rest)

    def _add(self, piece: bytes) -> None:
        if self._too_long or len(self._pending) + len(piece) > LONGEST_LINE:
            self._too_long = True
            self._pending.clear()
        else:
            self._pending += piece

    def _end_line(self) -> Iterator[dict[str, Any]]:
        line, too_long = bytes(self._pending), self._too_long
        self._pending.clear()
        self._too_long = False
        if not line.strip() and not too_long:
            return
        entry = None if too_long else entry_of(line)
        if entry is None:
            self.skipped += 1
        else:
            yield entry
