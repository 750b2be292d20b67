"""A table from disk, block by block: a file of any length needs little memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from danlu.base.errors import Fault, UserError, fail
from danlu.base.input_files import guarded, open_file
from danlu.data.readers.csv_text import BLANKS, FileOptions, read_csv, separator_of, told_separator
from danlu.data.readers.table_file import PARQUET, SEPARATORS, read_table
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import parquet_blocks

BLOCK_BYTES = 4 * 2**20
# Of a table on the disk. A longer row is none: the file has no lines, or a quotation mark is never closed.
_LONGEST_ROW = 64 * 2**20


def read_table_blocks(path: Path, options: FileOptions | None = None, *, always: bool = False) -> Iterator[Sheet]:
    """The rows of the table in the file `path`, some thousands at a time, as `read_table` reads them.

    All at once where the file is small, packed, Parquet, or not text in UTF-8 with a separator; `always` refuses that,
    and takes Parquet in blocks too. What later blocks hold is read as the first one showed: the separator, the names of
    the columns.
    """
    wanted = options or FileOptions()
    if always and path.suffix.lower() in PARQUET:
        yield from parquet_blocks(path)
        return
    if always and path.suffix.lower() not in SEPARATORS:
        fail("large.not-in-blocks", path=path)
    first = None if path.suffix.lower() not in SEPARATORS else _first_block(path, always)
    begun = None if first is None else _Begun.of(first, path, wanted)
    if first is not None and begun is None and always:
        fail("large.no-blocks", path=path)
    if begun is None or first is None:
        yield read_table(path, options)
        return
    line = first.count(b"\n")
    sheet = read_csv(first, str(path), begun.separator, wanted, sure=True)
    if always and begun.separator != (SEPARATORS[path.suffix.lower()] or begun.separator):
        sheet = replace(sheet, notes=(*sheet.notes, told_separator(str(path), begun.separator)))
    yield sheet
    with open_file(path, in_pieces=always) as file, guarded(path):
        file.seek(len(first))
        while block := _block(file, path, bounded=always):
            if block.strip():
                yield from begun.read(block, line)
            line += block.count(b"\n")


def _first_block(path: Path, any_size: bool) -> bytes | None:
    """The first block of a file that has more than one."""
    with open_file(path, in_pieces=any_size) as file, guarded(path):
        block = _block(file, path, bounded=any_size)
        return block if file.read(1) else None


def _block(file: IO[bytes], path: Path, *, bounded: bool) -> bytes:
    """About so many bytes that end where a row does: at a line's end outside of quotes."""
    pieces = [file.read(BLOCK_BYTES)]
    quotes, beyond = pieces[0].count(b'"'), 0
    while more := file.readline(_LONGEST_ROW if bounded else -1):
        pieces.append(more)
        quotes, beyond = quotes + more.count(b'"'), beyond + len(more)
        if more.endswith(b"\n") and quotes % 2 == 0:
            break
        if bounded and beyond >= _LONGEST_ROW:
            fail("large.endless-row", path=path, size=_LONGEST_ROW // 2**20)
    return b"".join(pieces)


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

    def read(self, block: bytes, before: int) -> Iterator[Sheet]:
        """A later block, `before` which so many lines stand in the file; nothing where its rows are blank."""
        moved = before - self.head.count(b"\n")
        options = self.options if self.head else replace(self.options, header=False)
        try:
            sheet = read_csv(self.head + block, str(self.path), self.separator, options, sure=True)
        except UserError as error:
            if [fault.id for fault in error.faults] == ["data.no-rows"]:
                return
            raise UserError(*(_moved(fault, moved) for fault in error.faults)) from None
        notes = tuple(_moved(note, moved) for note in sheet.notes)
        yield replace(sheet, lines=None if sheet.lines is None else sheet.lines + moved, notes=notes)


def _end_of_head(lines: str) -> int | None:
    """Where the line of names ends; None where it goes on over several."""
    end = lines.find("\n")
    return end if end >= 0 and lines[:end].count('"') % 2 == 0 else None


def _moved(fault: Fault, lines: int) -> Fault:
    line = fault.values.get("line")
    return Fault(fault.id, {**fault.values, "line": line + lines}) if isinstance(line, int) else fault
