"""A table on disk: CSV and its relatives, Parquet, JSON, Excel; plain, gzipped, or alone in a zip or tar archive."""

import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from danlu.base.errors import fail
from danlu.base.forked import refuse_forked
from danlu.base.input_files import guarded, open_file, open_unpacked, read_file, refuse_bomb
from danlu.base.naming import listed
from danlu.data.folder.scan import ENDINGS as PICTURES
from danlu.data.readers.csv_text import FileOptions, read_csv
from danlu.data.readers.excel import EXCEL, read_excel
from danlu.data.readers.json_table import JSON, JSON_LINES, read_json
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import read_parquet

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".dat": None, ".data": None, ".txt": None, ".asc": None}
SURE = (".csv", ".tsv", ".tab")
PARQUET = (".parquet", ".pq")
NUMPY = (".npy", ".npz")
ARCHIVES = (".tgz", ".tar", ".tar.gz", ".zip")
KINDS = (*SEPARATORS, *PARQUET, *JSON, *EXCEL, ".csv.gz", ".jsonl.gz", *ARCHIVES)


def read_table(path: Path, options: FileOptions | None = None) -> Sheet:
    """The columns of the table in the file `path`, and what had to be decided while reading."""
    refuse_forked()
    name, content = _content(path)
    shown = str(path) if name == path.name else f"{path}: {name}"
    suffix = PurePosixPath(name).suffix.lower()
    if not content.strip():
        fail("data.empty-file", path=shown)
    if suffix in PARQUET:
        return read_parquet(content, shown)
    if suffix in JSON:
        encoding = None if options is None else options.encoding
        return read_json(content, shown, encoding, lines=suffix in JSON_LINES)
    if suffix in EXCEL:
        header, wanted = (None, None) if options is None else (options.header, options.sheet)
        return read_excel(content, shown, header, wanted)
    if suffix in NUMPY:
        fail("data.array-file", path=shown)
    if suffix in PICTURES:
        fail("data.picture-file", path=shown)
    if suffix not in SEPARATORS:
        fail("data.unknown-kind", path=shown, kinds=", ".join(KINDS))
    return read_csv(content, shown, SEPARATORS[suffix], options or FileOptions())


def is_table(path: Path) -> bool:
    """Whether the name is that of a file that can hold nothing else than a table.

    >>> is_table(Path("a.csv.gz")), is_table(Path("notes.txt")), is_table(Path("facts.json"))
    (True, False, False)
    """
    return path.name.lower().removesuffix(".gz").endswith((*SURE, *PARQUET, *JSON_LINES, *EXCEL))


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive, whatever lies in it."""
    return path.name.lower().endswith(ARCHIVES)


def _content(path: Path) -> tuple[str, bytes]:
    """The name and bytes of the one table in `path`."""
    lower = path.name.lower()
    damaged = (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError, zipfile.BadZipFile)
    try:
        with guarded(path):
            if lower.endswith(".zip"):
                return _from_zip(path)
            if lower.endswith(ARCHIVES):
                return _from_tar(path)
            if lower.endswith(".gz"):
                with open_unpacked(path) as file:
                    return path.name[: -len(".gz")], file.read()
            return path.name, read_file(path)
    except (*damaged, RuntimeError, NotImplementedError, ValueError, OverflowError, LookupError):
        # What the standard library raises over archives that are cut off or forged, or encrypted.
        fail("data.archive-damaged", path=path)


def _from_zip(path: Path) -> tuple[str, bytes]:
    with open_file(path) as file, zipfile.ZipFile(file) as archive:
        name = _only_table(path, archive.namelist())
        entry = archive.getinfo(name)
        refuse_bomb(path, entry.compress_size, entry.file_size)
        return name, archive.read(entry)


def _from_tar(path: Path) -> tuple[str, bytes]:
    with open_unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        name = _only_table(path, [member.name for member in archive if member.isfile()])
        file = archive.extractfile(name)
        assert file is not None
        return name, file.read()


def _only_table(path: Path, names: list[str]) -> str:
    own = [name for name in names if not name.startswith("__MACOSX/") and not PurePosixPath(name).name.startswith("._")]
    tables = [name for name in own if PurePosixPath(name).suffix.lower() in (*SURE, *PARQUET, *JSON_LINES)]
    # A text beside a table says something about it; alone it is the table.
    tables = tables or [name for name in own if PurePosixPath(name).suffix.lower() in SEPARATORS]
    if len(tables) != 1:
        fail("data.archive-tables", path=path, count=len(tables), names=listed(tables, 5) or "-")
    return tables[0]
