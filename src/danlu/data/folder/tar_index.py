"""What lies in a tar archive, where in it, and whether it is whole: one pass over its headers."""

import os
import tarfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from danlu.base.errors import fail
from danlu.base.input_files import guarded, open_unpacked, refuse_irregular
from danlu.data.folder.scan import ENDINGS
from danlu.data.tar_member import TarMember

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
# What packed files begin with, and the command that unpacks them.
_PACKED = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ\x00": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
# So many files tell what an archive is about.
PEEKED = 100
_BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Entry:
    """What stands in an archive: a file, or, where it `is_file` not, a link, a device, or a file with holes."""

    member: TarMember
    is_file: bool = True


def is_tar(path: Path) -> bool:
    """Whether the name is that of a tar archive, packed or not."""
    return path.name.lower().endswith(TARS)


def holds_pictures(path: Path) -> bool:
    """Whether one of the first files of the archive `path` is a picture by its name."""
    refuse_irregular(path)
    try:
        with _opened_for_names(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for _ in range(PEEKED):
                found = archive.next()
                if found is None:
                    return False
                if found.isreg() and is_picture(found.name):
                    return True
    except (tarfile.TarError, EOFError, OSError, ValueError):
        return False
    return False


def is_picture(name: str) -> bool:
    """Whether a name is that of a picture, and not of what macOS puts beside it."""
    return PurePosixPath(name).suffix.lower() in ENDINGS and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Whether a file is one that a system puts beside the others."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")


def entries(path: Path) -> Iterator[Entry]:
    """All that stands in the archive `path` but its folders, in its order. UserError for an archive that is packed,
    damaged, or cut off: nothing of it would be read unsaid.
    """
    refuse_irregular(path)
    with guarded(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            fail("data.empty-file", path=path)
        refuse_packed(path, file.read(6))
        file.seek(0)
        try:
            yield from _entries(path, file, size)
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            fail("shards.damaged", path=path, at=file.tell(), reason=error)


def _entries(path: Path, file: IO[bytes], size: int) -> Iterator[Entry]:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        while (found := archive.next()) is not None:
            cast(Any, archive).members.clear()  # it would keep all of them
            if found.isreg() and found.offset_data + found.size > size:
                fail("shards.damaged", path=path, at=found.offset, reason=found.name)
            if not found.isdir():
                member = TarMember(path, found.name, found.offset_data, found.size)
                yield Entry(member, found.isreg() and not found.issparse())
        end: int = archive.offset
    # A header in the middle that is none ends the reading without an error, as the mark at the end does.
    _refuse_rest(path, file, end)


def refuse_packed(path: Path, first: bytes) -> None:
    """UserError where the first bytes of a file are those of a packed one: nothing in it can be found by its place."""
    command = next((command for magic, command in _PACKED.items() if first.startswith(magic)), None)
    if command is not None:
        fail("shards.packed", path=path, command=f"{command} '{path.name}'")


@contextmanager
def _opened_for_names(path: Path) -> Generator[IO[bytes]]:
    if path.name.lower().endswith((".gz", ".tgz")):
        with open_unpacked(path) as stream:
            yield stream
    else:  # the names are read by their places, however large the archive is
        with path.open("rb") as file:
            yield file


def _refuse_rest(path: Path, file: IO[bytes], end: int) -> None:
    """UserError unless zeros follow, from the mark at the end on."""
    file.seek(end)
    block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        fail("shards.cut", path=path, at=end)
    while block:
        if any(block):
            fail("shards.damaged", path=path, at=end, reason="tar header")
        block = file.read(_BLOCK_BYTES)
