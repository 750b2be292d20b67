"""The files of a table that is larger than memory, block by block, and whether a table is."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.input_files import path_kind, refuse_irregular
from danlu.base.naming import listed
from danlu.base.seeds import available_memory
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.header import refuse_held_names
from danlu.data.readers.table_blocks import read_table_blocks
from danlu.data.readers.table_file import PARQUET, SEPARATORS
from danlu.data.table.columns import Sheet

# Bytes of memory that a table takes while it is read whole, for each byte of its file: measured on numbers, texts and
# dates; what Parquet has packed takes more.
TAKEN, TAKEN_UNPACKED = 8, 25
# Below this size nothing is asked of the machine.
SMALL_BYTES = 64 * 2**20


def is_large(paths: Sequence[Path], wanted: bool | None) -> bool:
    """Whether the rows of the table in these files are kept on the disk: where that is `wanted`, or where nothing is
    and they would take more than half of the memory that there is. UserError where the files have to be read whole.
    """
    if wanted is False:
        return False
    suffixes = {path.suffix.lower() for path in paths}
    in_blocks = all(path_kind(path) == "file" for path in paths) and suffixes <= {*SEPARATORS, *PARQUET}
    if wanted:
        if not in_blocks:
            fail("large.not-in-blocks", path=paths[0])
        return True
    needed = needed_bytes(paths) if in_blocks else 0
    return needed > 0 and needed > available_memory() / 2


def needed_bytes(paths: Sequence[Path]) -> int:
    """About how much memory the table in these files takes while it is read whole; 0 for small ones."""
    sizes = {path: path.stat().st_size for path in paths}
    if sum(sizes.values()) < SMALL_BYTES:
        return 0
    return sum(size * (TAKEN_UNPACKED if path.suffix.lower() in PARQUET else TAKEN) for path, size in sizes.items())


@dataclass
class Places:
    """Where the rows stand: in which file, on which line."""

    begins: list[int] = field(default_factory=list[int])
    lines: "list[int | numpy.ndarray[Any, Any] | None]" = field(default_factory=list[Any])
    files: list[Path] = field(default_factory=list[Path])
    several: bool = False

    def add(self, begin: int, path: Path, lines: "numpy.ndarray[Any, Any] | None") -> None:
        self.begins.append(begin)
        self.files.append(path)
        if lines is None or not len(lines):
            self.lines.append(None)
        else:
            follow = int(lines[-1]) - int(lines[0]) == len(lines) - 1
            self.lines.append(int(lines[0]) if follow else lines)

    def __call__(self, row: int) -> Fault:
        block = bisect_right(self.begins, row) - 1
        lines, inside = self.lines[block], row - self.begins[block]
        path = self.files[block]
        if lines is None:
            before = self.begins[self.files.index(path)] if self.several else 0
            at = Fault("data.at-row", {"row": row - before + 1})
        else:
            at = Fault("data.at-line", {"line": lines + inside if isinstance(lines, int) else int(lines[inside])})
        return Fault("tables.in-file", {"at": at, "path": path}) if self.several else at


@dataclass(frozen=True)
class LargeFiles:
    """The files of each part; one part, "train", where the table has no parts of its own."""

    parts: Mapping[str, Sequence[Path]]
    options: FileOptions

    @property
    def paths(self) -> list[Path]:
        return [path for files in self.parts.values() for path in files]

    @property
    def several(self) -> bool:
        """Whether a part has several files."""
        return any(len(files) > 1 for files in self.parts.values())

    def state(self) -> list[Any]:
        """What is different once a file has been changed."""
        for path in self.paths:
            refuse_irregular(path)
        told = {path: path.stat() for path in self.paths}
        return [
            [part, str(path.absolute()), told[path].st_size, told[path].st_mtime_ns]
            for part, files in self.parts.items()
            for path in files
        ]

    def blocks(self) -> Iterator[tuple[str, Path, Sheet]]:
        """All rows in their order. UserError where the files do not have the same columns."""
        known: list[str] = []
        for part, files in self.parts.items():
            for path in files:
                for sheet in read_table_blocks(path, self.options, always=True):
                    known = known or list(sheet.columns)
                    self._refuse_other_columns(sheet, known, len(files) > 1)
                    yield part, path, sheet

    def _refuse_other_columns(self, sheet: Sheet, known: Sequence[str], several: bool) -> None:
        first = self.paths[0]
        lacking = [name for name in known if name not in sheet.columns]
        beside = [name for name in sheet.columns if name not in known]
        if several and (lacking or beside):
            pair = (sheet.path, first) if lacking else (first, sheet.path)
            fail("tables.file-lacks", path=pair[0], columns=listed(lacking or beside), other=pair[1])
        if lacking:
            fail("data.part-column", path=sheet.path, column=lacking[0], other=first)


class HeldNames:
    """Which columns of a file have a cell that is their own name: its first line is a row then."""

    def __init__(self) -> None:
        self._held: dict[Path, dict[str, bool]] = {}

    def add(self, path: Path, sheet: Sheet) -> None:
        held = self._held.setdefault(path, dict.fromkeys(sheet.columns, False))
        for name, series in sheet.columns.items():
            held[name] = held[name] or bool((series.str.strip_chars() == name).any())

    def refuse(self) -> None:
        """UserError where the first line of a file looks like a row."""
        for path, held in self._held.items():
            refuse_held_names(list(held), list(held.values()), str(path))
