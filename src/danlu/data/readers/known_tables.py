"""Tables of the catalogue: files as they are found in the world, with their target known."""

from pathlib import Path

from danlu.base.errors import Fault
from danlu.data.readers.csv_text import read_csv
from danlu.data.readers.table_file import read_table
from danlu.data.readers.text_file import read_bytes
from danlu.data.table.load import KnownTable

# The file itself names no columns; these are the measurements of the original, in its order.
PIMA_COLUMNS = ("pregnancies", "glucose", "blood_pressure", "skin", "insulin", "bmi", "pedigree", "age", "class")


def read_known_table(path: Path, target: str) -> KnownTable:
    """The table in the file or archive `path`."""
    table, notes = read_table(path)
    return KnownTable(table, target, notes)


def read_pima(path: Path) -> KnownTable:
    """Eight measurements and a class, 0 or 1, without a line of names."""
    content = ",".join(PIMA_COLUMNS).encode() + b"\n" + read_bytes(path)
    table, notes = read_csv(content, str(path), ",")
    return KnownTable(table, "class", (*notes, Fault("data.pima-classes")))
