"""What is kept in the cache folder: bounded, the least recently used first to go, and never what a process uses."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy
import PIL.Image
import pytest

from danlu.base.places import CACHE_VARIABLE, cache_bytes
from danlu.base.words import speaking
from danlu.data import load
from danlu.data.kept_folders import FACTS, forget, hold, make_room, used

KIB = 1024


def kept(cache: Path, kind: str, name: str, size: int, age: int) -> Path:
    """A folder that was last used `age` seconds ago."""
    folder = cache / kind / "source" / name
    folder.mkdir(parents=True)
    (folder / "cells").write_bytes(bytes(size))
    (folder / FACTS).write_bytes(b"")
    os.utime(folder / FACTS, (10**9 - age, 10**9 - age))
    return folder


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda size: monkeypatch.setenv(CACHE_VARIABLE, repr(size / 2**30))


@pytest.mark.parametrize(("named", "gib"), [("", 32), ("1.5", 1.5), ("none", 32), ("-1", 32), ("inf", 32)])
def test_the_bound_has_a_default(named: str, gib: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, named)
    assert cache_bytes() == gib * 2**30


def test_the_least_recently_used_make_way_and_it_is_told_once(
    cache: Path, limit: Callable[[int], None], capsys: pytest.CaptureFixture[str], language: str
) -> None:
    folders = [
        kept(cache, kind, name, 10 * KIB, age)
        for kind, name, age in (("tables", "a", 40), ("pictures", "b", 30), ("tables", "c", 20), ("pictures", "d", 10))
    ]
    limit(40 * KIB)
    make_room(0)
    assert all(folder.is_dir() for folder in folders)
    assert capsys.readouterr().err == ""
    used(folders[0])  # now b is the one that was not used for longest
    with speaking(language):
        make_room(15 * KIB)
    assert [folder.is_dir() for folder in folders] == [True, False, False, True]
    told = capsys.readouterr().err
    assert told.count(CACHE_VARIABLE) == 1
    assert ("Removed 2" in told) == (language == "en")
    make_room(15 * KIB)
    assert capsys.readouterr().err == ""


def test_rows_go_before_the_columns_they_were_made_of(cache: Path, limit: Callable[[int], None]) -> None:
    table = kept(cache, "tables", "a", 10 * KIB, 10)
    rows = table / "encoded-1"
    shutil.copytree(kept(cache, "tables", "b", 10 * KIB, 30), rows)
    shutil.rmtree(cache / "tables" / "source" / "b")
    limit(15 * KIB)
    make_room(0)
    assert (table.is_dir(), rows.is_dir()) == (True, False)


def test_what_another_process_holds_stays(cache: Path, limit: Callable[[int], None]) -> None:
    held, free = kept(cache, "tables", "a", 10 * KIB, 40), kept(cache, "tables", "b", 10 * KIB, 30)
    descriptor = os.open(held / "use-theirs.lock", os.O_RDWR | os.O_CREAT)
    assert filelock.lock_descriptor(descriptor, blocking=False)
    limit(1)
    make_room(0)
    forget([held])
    assert (held.is_dir(), free.is_dir()) == (True, False)
    assert not [*cache.rglob(".tmp-*")]
    os.close(descriptor)  # it has ended, however that was
    make_room(0)
    assert not held.is_dir()


def test_one_process_holds_what_it_uses_until_it_is_of_no_use(cache: Path, limit: Callable[[int], None]) -> None:
    folder = kept(cache, "tables", "a", KIB, 10)
    hold(folder)
    hold(folder)
    assert len([*folder.glob("use-*.lock")]) == 1
    limit(1)
    make_room(0)
    assert folder.is_dir()
    forget([folder])
    assert not folder.is_dir()
    hold(folder)  # which is gone: nothing to hold


def test_what_is_still_written_is_not_of_no_use(cache: Path) -> None:
    fresh, old = cache / "tables" / "source" / ".tmp-new", cache / "tables" / "source" / ".tmp-old"
    for folder in (fresh, old):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    forget([fresh, old])
    assert (fresh.is_dir(), old.is_dir()) == (True, False)


def test_tables_and_images_are_bounded_together(tmp_path: Path, cache: Path, limit: Callable[[int], None]) -> None:
    for label in ("a", "b"):
        (tmp_path / "seen" / label).mkdir(parents=True)
        for number in range(8):
            pixels = numpy.full((16, 16), 9 * number, dtype=numpy.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "seen" / label / f"{number}.png")
    rows = [f"{number}.5,{number % 7},{'xy'[number % 2]}" for number in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["size,count,kind", *rows]), encoding="utf-8")
    load(tmp_path / "seen")
    (decoded,) = (cache / "pictures").glob("*/*")
    os.utime(decoded / FACTS, (0, 0))
    limit(4 * KIB)
    first = load(tmp_path / "t.csv", target="kind", stream=True)
    assert not decoded.is_dir()
    assert len([*cache.glob("tables/*/*/encoded-*")]) == 1  # this process holds it, though it is beyond the bound
    assert first.sizes == load(tmp_path / "t.csv", target="kind", stream=True).sizes
