"""Tables of the catalogue: files as they are found in the world, with their target known."""

from dataclasses import replace
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.data.readers.csv_text import FileOptions, read_csv
from danlu.data.readers.table_file import read_table
from danlu.data.readers.text_file import read_bytes
from danlu.data.table.columns import Sheet
from danlu.data.table.infer import interpret
from danlu.data.table.load import KnownTable

# The file itself names no columns; these are the measurements of the original, in its order.
PIMA_COLUMNS = ("pregnancies", "glucose", "blood_pressure", "skin", "insulin", "bmi", "pedigree", "age", "class")


def read_known_table(path: Path, target: str) -> KnownTable:
    """The table in the file or archive `path`."""
    return _known(read_table(path), target)


def read_pima(path: Path) -> KnownTable:
    """Eight measurements and a class, 0 or 1, without a line of names."""
    sheet = read_csv(read_bytes(path), str(path), ",", FileOptions(header=False))
    if len(sheet.columns) != len(PIMA_COLUMNS):
        fail("data.ragged", path=path, line=1, found=len(sheet.columns), wanted=len(PIMA_COLUMNS))
    named = dict(zip(PIMA_COLUMNS, sheet.columns.values(), strict=True))
    return _known(replace(sheet, columns=named, notes=(*sheet.notes, Fault("data.pima-classes"))), "class")


def _known(sheet: Sheet, target: str) -> KnownTable:
    return KnownTable(interpret(sheet), target, sheet.notes, sheet.lines)
