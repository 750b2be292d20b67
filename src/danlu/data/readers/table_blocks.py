"""A table from disk, block by block: a file of any length needs little memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from danlu.base.errors import Fault, UserError
from danlu.base.input_files import guarded, open_file
from danlu.data.readers.csv_text import BLANKS, FileOptions, read_csv, separator_of
from danlu.data.readers.table_file import SEPARATORS, read_table
from danlu.data.table.columns import Sheet

BLOCK_BYTES = 4 * 2**20


def read_table_blocks(path: Path, options: FileOptions | None = None) -> Iterator[Sheet]:
    """The rows of the table in the file `path`, some thousands at a time, as `read_table` reads them.

    All at once where the file is small, packed, Parquet, or not text in UTF-8 with a separator. What later blocks hold
    is read as the first one showed: the separator, the names of the columns.
    """
    wanted = options or FileOptions()
    first = None if path.suffix.lower() not in SEPARATORS else _first_block(path)
    begun = None if first is None else _Begun.of(first, path, wanted)
    if begun is None or first is None:
        yield read_table(path, options)
        return
    line = first.count(b"\n")
    sheet = read_csv(first, str(path), begun.separator, wanted, sure=True)
    yield sheet
    with open_file(path) as file, guarded(path):
        file.seek(len(first))
        while block := _block(file):
            if block.strip():
                yield begun.read(block, line)
            line += block.count(b"\n")


def _first_block(path: Path) -> bytes | None:
    """The first block of a file that has more than one."""
    with open_file(path) as file, guarded(path):
        block = _block(file)
        return block if file.read(1) else None


def _block(file: IO[bytes]) -> bytes:
    """About so many bytes that end where a row does: at a line's end outside of quotes."""
    block = file.read(BLOCK_BYTES)
    while more := file.readline():
        block += more
        if block.endswith(b"\n") and block.count(b'"') % 2 == 0:
            break
    return block


@dataclass(frozen=True)
class _Begun:
    """What the first block showed of a file."""

    path: Path
    separator: str
    head: bytes  # the line of names; nothing where there is none
    options: FileOptions

    @classmethod
    def of(cls, first: bytes, path: Path, options: FileOptions) -> "_Begun | None":
        """None for what has to be read in one piece."""
        try:
            text = first.decode(options.encoding or "utf-8-sig")
        except (UnicodeDecodeError, LookupError):
            return None
        lines = text.lstrip("\n")
        separator = separator_of(lines, SEPARATORS[path.suffix.lower()])
        end = _end_of_head(lines)
        if separator == BLANKS or "\0" in text or end is None:
            return None
        head = b"" if options.header is False else lines[: end + 1].encode(options.encoding or "utf-8")
        encoding = options.encoding or "utf-8"
        return cls(path, separator, head, FileOptions(options.header is not False, encoding))

    def read(self, block: bytes, before: int) -> Sheet:
        """A later block, `before` which so many lines stand in the file."""
        moved = before - self.head.count(b"\n")
        options = self.options if self.head else replace(self.options, header=False)
        try:
            sheet = read_csv(self.head + block, str(self.path), self.separator, options, sure=True)
        except UserError as error:
            raise UserError(*(_moved(fault, moved) for fault in error.faults)) from None
        notes = tuple(_moved(note, moved) for note in sheet.notes)
        return replace(sheet, lines=None if sheet.lines is None else sheet.lines + moved, notes=notes)


def _end_of_head(lines: str) -> int | None:
    """Where the line of names ends; None where it goes on over several."""
    end = lines.find("\n")
    return end if end >= 0 and lines[:end].count('"') % 2 == 0 else None


def _moved(fault: Fault, lines: int) -> Fault:
    line = fault.values.get("line")
    return Fault(fault.id, {**fault.values, "line": line + lines}) if isinstance(line, int) else fault
