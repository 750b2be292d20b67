"""Several files that are one table, or the parts of one: a pattern such as parts/*.parquet, a folder of tables."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.base.input_files import path_kind
from danlu.base.naming import listed
from danlu.data.parts import PARTS, part_of
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import is_table, read_table
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import join_rows

_SIGNS = "*?["


def is_pattern(path: Path) -> bool:
    """Whether `path` is a pattern for the names of files, and not one file that is really called so."""
    return any(sign in str(path) for sign in _SIGNS) and path_kind(path) == "missing"


def files_of(pattern: Path) -> list[Path]:
    """The files that a pattern stands for, in the order of their names. UserError where there are none."""
    top = Path(pattern.anchor or ".")
    found: list[Path] = []
    with contextlib.suppress(ValueError):  # "**" beside other signs
        found = sorted(
            path for path in top.glob(str(pattern.relative_to(pattern.anchor))) if path_kind(path) != "folder"
        )
    if not found:
        fail("tables.no-match", pattern=pattern)
    return found


def tables_in(folder: Path) -> list[Path]:
    """The tables that lie in a folder itself; none where it has folders too, which are what it is about. What a program
    that writes parts leaves beside them (_SUCCESS, .crc) is passed over.
    """
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "_"))]
    if any(path_kind(path) == "folder" for path in files):
        return []
    return [path for path in files if is_table(path)]


def parts_in(files: Sequence[Path]) -> tuple[dict[str, Path], list[Path]]:
    """The files that are called as parts are (train.csv, test.csv), by part, and the others; no parts without train."""
    parts: dict[str, Path] = {}
    for path in files:
        part = part_of(path.name.split(".")[0])
        if part in parts:
            fail("tables.two-files-for-a-part", first=parts[part], second=path, part=part)
        if part:
            parts[part] = path
    if "train" not in parts:
        return {}, list(files)
    return {part: parts[part] for part in PARTS if part in parts}, [one for one in files if one not in parts.values()]


def read_tables(paths: Sequence[Path], options: FileOptions) -> Sheet:
    """The rows of several files, one behind the other, as one table. UserError where their
    columns are not the same, or the files are of different kinds."""
    endings = sorted({path.name.lower().removesuffix(".gz").rpartition(".")[2] for path in paths})
    if len(endings) > 1:
        fail("tables.mixed-endings", path=paths[0].parent, endings=", ".join(f".{ending}" for ending in endings))
    sheets = [read_table(path, options) for path in paths]
    first = sheets[0]
    for sheet in sheets[1:]:
        for one, other in ((sheet, first), (first, sheet)):
            lacking = [name for name in other.columns if name not in one.columns]
            if lacking:
                fail("tables.file-lacks", path=one.path, columns=listed(lacking), other=other.path)
    return join_rows(sheets)


def without_answers(sheets: Mapping[str, Sheet], targets: Sequence[str]) -> tuple[dict[str, Sheet], list[Fault]]:
    """The sheets by part without a test part that has nothing to predict, as competitions give it, and the note."""
    test = sheets.get("test")
    if test is None or not targets or any(name in test.columns for name in targets):
        return dict(sheets), []
    told = Fault("tables.test-without-target", {"path": test.path, "target": ", ".join(targets)})
    return {part: sheet for part, sheet in sheets.items() if part != "test"}, [told]
