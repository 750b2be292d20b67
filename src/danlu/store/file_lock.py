"""One process at a time: a lock that goes with its process, however that ends."""

import contextlib
import os
from pathlib import Path

from danlu.base.errors import fail

# Windows lets nobody read what another process has locked, and a journal is read while it is written: there a file
# beside it is locked.
_LOCKED_BESIDE = os.name == "nt"


def lock_file(path: Path) -> Path:
    """The file that is locked in place of `path` where that has to stay readable.

    >>> lock_file(Path("journal.jsonl")).name
    'journal.jsonl.lock'
    """
    return path.with_name(f"{path.name}.lock")


def is_locked(path: Path) -> bool:
    """Whether a process has the lock of the file at `path`; True where that cannot be told.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     is_locked(Path(file.name))
    False
    """
    import filelock

    file = lock_file(path) if _LOCKED_BESIDE else path
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not filelock.lock_descriptor(descriptor, blocking=False)
    except OSError:
        return True
    finally:
        os.close(descriptor)


class FileLock:
    """The lock of the file at `path`, open as `descriptor`. UserError where another process has it.

    A file system without locks gives none.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        import filelock  # here, because who only looks needs none

        self._file = lock_file(path) if _LOCKED_BESIDE else None
        self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644) if self._file else -1
        try:
            held = filelock.lock_descriptor(self._descriptor if self._file else descriptor, blocking=False)
        except OSError:
            return
        if not held:
            self.leave()
            fail("store.in-use", path=path.parent)

    def leave(self) -> None:
        """Let go of the file that is locked, and leave it to whoever has it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def release(self) -> None:
        """Give the lock up, for which the file at `path` has to be closed too, and take away what is beside it."""
        self.leave()
        if self._file is not None:
            with contextlib.suppress(OSError):  # another process has it already: Windows deletes no open file
                self._file.unlink()
