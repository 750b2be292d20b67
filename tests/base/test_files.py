"""Files are whole or not there; tests/train holds the harness that fails each operation of a save in turn."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danlu.base import files
from danlu.base.errors import StorageError
from danlu.base.files import (
    make_folder,
    put_folder,
    remove_folder,
    remove_leftovers,
    rename,
    replace_file,
    storage_error,
    write_file,
)
from danlu.base.words import use_language

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
DENIED = OSError(errno.EACCES, os.strerror(errno.EACCES))
BROKEN = OSError(errno.EIO, os.strerror(errno.EIO))


def failing(error: OSError) -> Callable[..., Any]:
    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", [b"", b"one\ntwo\r\n", bytes(range(256)) * 1000])
def test_bytes_arrive_as_they_are(content: bytes, tmp_path: Path) -> None:
    write_file(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == content


def test_a_system_that_writes_in_portions_is_given_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, content[:7]))
    write_file(tmp_path / "a", b"twenty-three characters")
    assert (tmp_path / "a").read_bytes() == b"twenty-three characters"


def test_every_file_and_every_name_is_forced_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        forced.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        real(descriptor)

    if not Path("/proc/self/fd").exists():
        pytest.skip("this system does not say what a descriptor stands for")
    monkeypatch.setattr(os, "fsync", fsync)
    replace_file(tmp_path / "a", b"x")
    assert forced == ["file", "folder"]
    forced.clear()
    put_folder(tmp_path / "b", {"one": b"1", "two": b"2"})
    assert forced == ["file", "file", "folder", "folder"]


def test_replacing_a_file_leaves_nothing_else(tmp_path: Path) -> None:
    replace_file(tmp_path / "a", b"old")
    replace_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("operation", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_says_so(
    operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file(tmp_path / "a", b"old")
    monkeypatch.setattr(os, operation, failing(FULL))
    with pytest.raises(StorageError, match="a: the disk is full"):
        replace_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_folder_is_put_with_all_its_files(tmp_path: Path) -> None:
    put_folder(tmp_path / "deep" / "run", {"one": b"1", "two": b"2"})
    assert names(tmp_path / "deep") == ["run"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "deep" / "run").iterdir()} == {
        "one": b"1",
        "two": b"2",
    }


@pytest.mark.parametrize("operation", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_no_half_a_folder(operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, operation, failing(FULL))
    with pytest.raises(StorageError, match="run: the disk is full"):
        put_folder(tmp_path / "run", {"one": b"1"})
    assert names(tmp_path) == []


def test_what_a_killed_process_left_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / f"{files.TEMPORARY}run").mkdir()
    (tmp_path / f"{files.TEMPORARY}run" / "stale").write_bytes(b"")
    put_folder(tmp_path / "run", {"one": b"1"})
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["one"]


def test_leftovers_go_and_the_rest_stays(tmp_path: Path) -> None:
    put_folder(tmp_path / f"{files.TEMPORARY}run", {"one": b"1"})
    write_file(tmp_path / f"{files.TEMPORARY}recipe.toml", b"")
    write_file(tmp_path / "recipe.toml", b"")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["recipe.toml"]


def test_rename_takes_the_place_of_what_is_there(tmp_path: Path) -> None:
    write_file(tmp_path / "new", b"new")
    write_file(tmp_path / "old", b"old")
    rename(tmp_path / "new", tmp_path / "old")
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"new"


def test_a_folder_is_made_with_those_above_it_and_twice_is_once(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b" / "c")
    make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_removing_a_folder_begins_with_the_file_that_makes_it_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_folder(tmp_path / "step", {"manifest.json": b"{}", "weights": b"w"})
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", failing(BROKEN))
        with pytest.raises(StorageError, match="step: the disk refused"):
            remove_folder(tmp_path / "step", "manifest.json")
    assert names(tmp_path / "step") == ["weights"]
    remove_folder(tmp_path / "step", "manifest.json")
    assert names(tmp_path) == []


def test_removing_a_folder_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    remove_folder(tmp_path / "step", "manifest.json")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "in_english", "in_chinese"),
    [
        (FULL, "runs: the disk is full. Nothing half-written was left", "runs：磁盘已满。"),
        (DENIED, "runs: danlu may not write there.", "runs：没有写入权限。"),
        (BROKEN, "runs: the disk refused to write (Input/output error).", "runs：磁盘拒绝写入（Input/output error）。"),
    ],
)
def test_what_the_disk_refused_is_told_in_both_languages(error: OSError, in_english: str, in_chinese: str) -> None:
    told = storage_error(Path("runs"), error)
    assert str(told).startswith(in_english)
    use_language("zh")
    assert str(told).startswith(in_chinese)
