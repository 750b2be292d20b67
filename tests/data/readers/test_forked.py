"""Processes forked by the user: what would hang there is refused in a sentence; what would not, works."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest

from attack.child import in_child
from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.table.frames import _without_panics, read_parquet, sheet_of
from danlu.store.run_history import RunHistory

TABLE = "x,y\n" + "".join(f"{n % 7},{n % 2}\n" for n in range(60))
SECONDS = 30  # only a hang takes so long
WORK: dict[str, Callable[[Path], Any]] = {
    "a CSV": lambda folder: load(folder / "t.csv", target="y").sizes,
    "a Parquet": lambda folder: load(folder / "t.parquet", target="y").sizes,
    "columns": lambda folder: len(sheet_of({"x": [1.0, 2.0]}).columns),
    "a history": lambda folder: RunHistory().frame().height,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    (place / "t.csv").write_text(TABLE)
    polars.DataFrame({"x": [n % 7 for n in range(60)], "y": [n % 2 for n in range(60)]}).write_parquet(
        place / "t.parquet"
    )
    return place


def answer(work: Callable[[Path], Any], folder: Path) -> Any:
    try:
        return str(work(folder))
    except UserError as error:
        return error.faults[0].id


FORKS = """
import os, sys
import danlu, polars
polars.DataFrame({"x": range(10_000)}).lazy().sort("x").collect()
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
from danlu.base.errors import UserError
from danlu.base.forked import refuse_forked
try:
    refuse_forked()
except UserError:
    os._exit(7)
os._exit(0)
"""


def test_danlu_looks_from_its_first_import_on() -> None:
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS], check=False, timeout=60).returncode == 7


@pytest.mark.parametrize("name", WORK)
def test_a_child_of_one_that_used_polars_is_told(name: str, folder: Path) -> None:
    work = WORK[name]
    polars.DataFrame({"x": range(10_000)}).lazy().sort("x").collect()  # its threads are there
    work(folder)
    ended = in_child(lambda: answer(work, folder), folder, SECONDS)
    assert (ended.state, ended.value) == ("answered", "files.forked")


def test_standard_error_is_the_same_after_panics_in_many_threads(folder: Path) -> None:
    before = os.fstat(2)
    damaged = (folder / "t.parquet").read_bytes()
    damaged = damaged[:60] + b"\xff" * 40 + damaged[100:]

    def read() -> None:
        for _ in range(20):
            with contextlib.suppress(UserError):
                read_parquet(damaged, "t.parquet")

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert os.path.samestat(before, os.fstat(2))
    with _without_panics():
        assert not os.path.samestat(before, os.fstat(2))
    assert os.path.samestat(before, os.fstat(2))
