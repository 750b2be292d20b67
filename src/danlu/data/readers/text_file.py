"""Text on disk, plain or gzipped, as a string; it must be UTF-8."""

import gzip
import zlib
from pathlib import Path

from danlu.base.errors import fail

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
TEXTS = (".txt", ".txt.gz")


def is_text(path: Path) -> bool:
    """Whether the name is that of a text file."""
    return path.name.lower().endswith(TEXTS)


def read_text(path: Path) -> str:
    """The text in the file `path`, its line ends as one "\\n" each."""
    content = read_bytes(path)
    if not content.strip():
        fail("data.empty-file", path=path)
    return decode_utf8(content, str(path)).replace("\r\n", "\n")


def read_bytes(path: Path) -> bytes:
    """The bytes of the file `path`, unzipped where its name ends in .gz."""
    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path) as file:
                return file.read()
        return path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        fail("data.gzip-damaged", path=path)
    except OSError as error:
        fail("data.unreadable", path=path, reason=error.strerror or error)


def decode_utf8(content: bytes, path: str) -> str:
    """The text that the bytes stand for, without a byte order mark."""
    if content.startswith(UTF16_MARKS):
        fail("data.not-utf8", path=path, line=1, byte=f"0x{content[0]:02x}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fail("data.not-utf8", path=path, line=line, byte=f"0x{content[error.start]:02x}")
