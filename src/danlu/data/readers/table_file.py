"""A table on disk: CSV, TSV or Parquet, plain, gzipped, or alone in a zip or tar archive."""

import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from danlu.base.errors import Fault, fail
from danlu.data.readers.csv_text import read_csv
from danlu.data.readers.frames import read_parquet
from danlu.data.table.columns import Table

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
PARQUET = (".parquet", ".pq")
ARCHIVES = (".tgz", ".tar", ".tar.gz", ".zip")
KINDS = (*SEPARATORS, *PARQUET, ".csv.gz", *ARCHIVES)


def read_table(path: Path) -> tuple[Table, tuple[Fault, ...]]:
    """The columns of the table in the file `path`, and what had to be decided while reading."""
    name, content = _content(path)
    shown = str(path) if name == path.name else f"{path}: {name}"
    suffix = PurePosixPath(name).suffix.lower()
    if not content.strip():
        fail("data.empty-file", path=shown)
    if suffix in PARQUET:
        return read_parquet(content, shown), ()
    if suffix not in SEPARATORS:
        fail("data.unknown-kind", path=shown, kinds=", ".join(KINDS))
    return read_csv(content, shown, SEPARATORS[suffix])


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive, whatever lies in it."""
    return path.name.lower().endswith(ARCHIVES)


def _content(path: Path) -> tuple[str, bytes]:
    """The name and bytes of the one table in `path`."""
    lower = path.name.lower()
    try:
        if lower.endswith(".zip"):
            return _from_zip(path)
        if lower.endswith(ARCHIVES):
            return _from_tar(path)
        if lower.endswith(".gz"):
            with gzip.open(path) as file:
                return path.name[: -len(".gz")], file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError, zipfile.BadZipFile, RuntimeError):
        fail("data.archive-damaged", path=path)
    return path.name, path.read_bytes()


def _from_zip(path: Path) -> tuple[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        name = _only_table(path, archive.namelist())
        return name, archive.read(name)


def _from_tar(path: Path) -> tuple[str, bytes]:
    with tarfile.open(path, "r:*") as archive:
        name = _only_table(path, [member.name for member in archive if member.isfile()])
        file = archive.extractfile(name)
        assert file is not None
        return name, file.read()


def _only_table(path: Path, names: list[str]) -> str:
    tables = [
        name
        for name in names
        if PurePosixPath(name).suffix.lower() in (*SEPARATORS, *PARQUET)
        and not name.startswith("__MACOSX/")
        and not PurePosixPath(name).name.startswith("._")
    ]
    if len(tables) != 1:
        fail("data.archive-tables", path=path, count=len(tables), names=", ".join(tables[:5]) or "-")
    return tables[0]
