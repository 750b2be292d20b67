"""The column of a table whose cells are paths of pictures; without torch."""

import re
from pathlib import Path

from danlu.base.errors import Faults, fail
from danlu.base.input_files import path_kind, refuse_irregular
from danlu.base.naming import listed
from danlu.data.folder.scan import ENDINGS, raise_first
from danlu.data.table.columns import Sheet

_NAMED = "(?i)(" + "|".join(ending.replace(".", r"\.") for ending in ENDINGS) + r")\s*$"


def picture_column(sheet: Sheet, place: Path) -> str | None:
    """The column whose cells are paths of pictures, from the folder `place` on, at least one of which is there; None
    where there is no such column: a table may well have names of files that nobody has kept. UserError where the name
    of a column is such a path: it has no line of names.
    """
    import polars

    for name, series in sheet.columns.items():
        if re.search(_NAMED, name) and path_kind(_path(name, place)) == "file":
            fail("data.no-header", path=sheet.path, found=listed(sheet.columns, 4))
        present = series.drop_nulls() if series.dtype == polars.String else series[:0]
        if not len(present) or not present.str.contains(_NAMED).all():
            continue
        if any(path_kind(_path(cell, place)) == "file" for cell in present.to_list()):
            return name
    return None


def picture_paths(sheet: Sheet, column: str, place: Path) -> list[Path]:
    """The pictures in a column, one a row. UserError with those that are not there, or are no files."""
    faults = Faults()
    paths: list[Path] = []
    for row, cell in enumerate(sheet.columns[column].to_list()):
        path = _path(cell, place) if cell else place
        kind = path_kind(path) if cell else "missing"
        if kind in ("missing", "folder"):
            phrase = "listed.no-picture" if cell else "listed.no-path"
            faults.add(phrase, path=sheet.path, at=sheet.place(row), column=column, picture=path)
        elif kind != "file":
            with faults.gathered():
                refuse_irregular(path)
        paths.append(path)
    raise_first(faults)
    return paths


def _path(cell: str, place: Path) -> Path:
    """The path in a cell, as it is or from the table's folder on; written on Windows it has its slashes reversed."""
    path = place / cell.strip()
    return path if path_kind(path) != "missing" else place / cell.strip().replace("\\", "/")
