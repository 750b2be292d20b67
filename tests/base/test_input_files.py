"""What a user names as a file: only regular files are opened, and nothing is unpacked into more than the limit."""

import gzip
import os
import socket
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.base.input_files import guarded, open_unpacked, path_kind, read_file
from danlu.base.recipe_text import read_recipe
from danlu.data import load
from danlu.train.weight_file import load_weights


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.csv")
    return folder / "pipe.csv"


def listener(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(folder / "s.csv"))
    return folder / "s.csv"


def device(folder: Path) -> Path:
    (folder / "zero.csv").symlink_to("/dev/zero")
    return folder / "zero.csv"


@pytest.mark.parametrize("make", [pipe, listener, device])
@pytest.mark.parametrize("read", [read_file, load, read_recipe, load_weights])
def test_what_is_no_file_is_never_opened(
    make: Callable[[Path], Path], read: Callable[[Path], object], tmp_path: Path, language: str
) -> None:
    words = {"en": "this is a (pipe|socket|device), not a file", "zh": "这是(管道|套接字|设备)，不是文件"}
    with pytest.raises(UserError, match=words[language]):
        read(make(tmp_path))


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\0b.csv", "no/such.csv"])
def test_a_name_that_no_file_has_is_missing(name: str) -> None:
    assert path_kind(name) == "missing"
    for read in (load, read_recipe):
        with pytest.raises(UserError, match="there is no such"):
            read(name)


@pytest.mark.slow
def test_the_size_is_known_before_memory_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(2**31)
    monkeypatch.setenv("DANLU_MAX_FILE_GB", "1")
    monkeypatch.setattr("danlu.data.large.files.available_memory", lambda: 2**40)  # else its rows stay on the disk
    with pytest.raises(UserError, match=r"2\.0 GiB would be read .* the limit is 1 GiB.* DANLU_MAX_FILE_GB"):
        load(tmp_path / "big.csv", target="y")


def test_a_file_takes_no_more_memory_than_it_has_bytes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" * 1000)
    tracemalloc.start()
    content = read_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content == path.read_bytes()
    assert peak < 2**22


def gzipped(folder: Path) -> Path:
    path = folder / "t.csv.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(80):
            file.write(bytes(2**20))
    return path


def zipped(folder: Path) -> Path:
    path = folder / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", bytes(80 * 2**20))
    return path


@pytest.mark.every(4)
@pytest.mark.parametrize("make", [gzipped, zipped])
def test_a_bomb_is_refused_by_its_ratio(make: Callable[[Path], Path], tmp_path: Path, language: str) -> None:
    with pytest.raises(UserError, match={"en": "decompression bomb", "zh": "解压炸弹"}[language]):
        load(make(tmp_path), target="y")


def test_what_is_unpacked_is_the_same(tmp_path: Path) -> None:
    content = os.urandom(3 * 2**20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    with open_unpacked(tmp_path / "a.gz") as file:
        assert file.read() == content
        file.seek(5)
        assert file.read(4) == content[5:9]


class Panic(BaseException):
    """What a library written in another language may raise."""


@pytest.mark.parametrize(
    ("error", "english"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (RecursionError("maximum"), "nested too deep"),
        (Panic("out of spec"), "t.csv: the file is damaged: reading it failed .out of spec"),
        (PermissionError(13, "Permission denied"), "cannot be read .Permission denied"),
    ],
)
def test_whatever_a_reader_raises_names_the_file(error: BaseException, english: str) -> None:
    with pytest.raises(UserError, match=english), guarded("t.csv"):
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, ZeroDivisionError])
def test_other_errors_go_through(error: type[BaseException]) -> None:
    with pytest.raises(error, match="^$"), guarded("t.csv"):
        raise error
