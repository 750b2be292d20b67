"""Text on disk, plain or gzipped, as a string, in whatever encoding it is."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from danlu.base.errors import Fault, Faults, fail
from danlu.base.input_files import open_unpacked, read_file
from danlu.base.text_encoding import USUAL, decode, detect, is_marked_or_usual

TEXTS = (".txt", ".txt.gz")


def is_text(path: Path) -> bool:
    """Whether the name is that of a text file."""
    return path.name.lower().endswith(TEXTS)


def read_text(path: Path, encoding: str | None = None) -> tuple[str, tuple[Fault, ...]]:
    """The text in the file `path`, its line ends as one "\\n" each, and a note where its encoding was detected."""
    content = read_bytes(path)
    if not content.strip():
        fail("data.empty-file", path=path)
    text, notes = decode_told(content, str(path), encoding)
    return one_line_end(text), notes


def read_texts(paths: Sequence[Path], encoding: str | None = None) -> tuple[list[str], tuple[Fault, ...]]:
    """The texts in some files, and a note of those that are in another encoding than the usual one. What has neither
    that nor a mark is told apart by the bytes of all such files together: one alone may be short. UserError with all
    that cannot be read.
    """
    faults, contents = Faults(), list[bytes]()
    for path in paths:
        with faults.gathered():
            contents.append(read_bytes(path))
            if not contents[-1].strip():
                fail("data.empty-file", path=path)
    faults.raise_if_any()
    unclear = [content for content in contents if encoding is None and not is_marked_or_usual(content)]
    found = detect(b"\n".join(unclear)) if unclear else None
    texts, others = list[str](), dict[str, list[Path]]()
    for path, content in zip(paths, contents, strict=True):
        chosen = encoding or (None if is_marked_or_usual(content) else found)
        with faults.gathered():
            text, used = decode(content, path, chosen)
            texts.append(one_line_end(text))
            if encoding is None and used != USUAL:
                others.setdefault(used, []).append(path)
    faults.raise_if_any()
    told = {used: {"count": len(files), "encoding": used, "path": files[0]} for used, files in others.items()}
    return texts, tuple(Fault("data.encodings-detected", values) for values in told.values())


def read_bytes(path: Path) -> bytes:
    """The bytes of the file `path`, unzipped where its name ends in .gz."""
    if not path.name.lower().endswith(".gz"):
        return read_file(path)
    try:
        with open_unpacked(path) as file:
            return file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        fail("data.gzip-damaged", path=path)


def decode_told(content: bytes, path: str, encoding: str | None) -> tuple[str, tuple[Fault, ...]]:
    """The text that the bytes stand for, and a note where the encoding is not the usual one and nobody named it."""
    text, found = decode(content, path, encoding)
    told = encoding is None and found != USUAL
    return text, (Fault("data.encoding-detected", {"path": path, "encoding": found}),) if told else ()


def one_line_end(text: str) -> str:
    """The text with "\\n" at the end of every line, also where lines end as on Windows or on old Macs.

    >>> one_line_end("a\\r\\nb\\rc")
    'a\\nb\\nc'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")
