"""A file is read alike in whatever portions: answers, places, notes, remarks and errors, by a run and by its export."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch

import danlu
from danlu.base.errors import UserError
from danlu.data.plain import to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers import table_blocks
from danlu.data.readers.csv_text import FileOptions
from danlu.ship import portions
from danlu.ship.export.files import FileRows, read_file_rows
from danlu.ship.export.interface import Interface
from danlu.ship.inputs import read_rows
from danlu.ship.rows import Rows

ROWS = 97
Told = tuple[list[str], dict[str, str], list[str]]


def table_lines(wrong: int | None = None) -> list[str]:
    rows = [f"{row % 9},{'abcz'[row % 4] if row > 60 else 'abc'[row % 3]},{row / 7:.3f}" for row in range(ROWS)]
    rows[70] = "9000,q,1"
    if wrong is not None:
        rows[wrong] = "many,a,1"
    return ["size,kind,y", *rows]


def table(place: Path, end: str, wrong: int | None = None) -> tuple[Any, Path]:
    trained = [f"{row % 9},{'abc'[row % 3]},{row / 7:.3f}" for row in range(40)]
    (place / "trained.csv").write_text("\n".join(["size,kind,y", *trained]))
    path = place / f"new{end}"
    text = "\n".join(table_lines(wrong))
    if end == ".csv":
        path.write_text(text)
    else:
        polars.read_csv(text.encode(), infer_schema=wrong is None).write_parquet(path)
    return danlu.load(place / "trained.csv", target="y"), path


def numbers(place: Path, end: str, wrong: int | None = None) -> tuple[Any, Path]:
    x = numpy.random.default_rng(0).normal(3, 5, (ROWS, 4))
    data = danlu.load((x[:40], [row % 2 for row in range(40)]))
    x[70, 2] = 1e6
    if wrong is not None:
        x[wrong, 1] = numpy.nan
    path = place / f"new{end}"
    if end == ".npy":
        numpy.save(path, x)
    else:
        path.write_text("\n".join(["a,b,c,d", *(",".join(map(str, row)) for row in x.tolist())]))
    return data, path


def texts(place: Path, end: str, wrong: int | None = None) -> tuple[Any, Path]:
    words = ["furnace", "elixir", "mercury", "cinnabar", "lead"] * 20
    path = place / f"new{end}"
    path.write_text("\n".join([*words[:50], "", *words[50:ROWS]]))
    return danlu.load((words, [len(word) % 2 for word in words]), tokens="characters"), path


KINDS: dict[str, tuple[Callable[..., tuple[Any, Path]], str]] = {
    "table.csv": (table, ".csv"),
    "table.parquet": (table, ".parquet"),
    "numbers.csv": (numbers, ".csv"),
    "numbers.npy": (numbers, ".npy"),
    "lines.txt": (texts, ".txt"),
}


def read_by_run(path: Path, data: Any) -> Iterator[Rows]:
    return read_rows(path, Preprocessing.of(data), "y", FileOptions())


def read_by_export(path: Path, data: Any) -> Iterator[FileRows]:
    return read_file_rows(path, Interface(to_plain(Preprocessing.of(data)), raw=True), FileOptions(), "y")


def told(read: list[Any]) -> Told:
    """Places, notes by place, remarks."""
    notes: dict[str, str] = {}
    for rows in read:
        odd = (rows.notes or {}) if isinstance(rows, Rows) else rows.feeds.notes
        notes |= {rows.places[row]: note for row, note in odd.items()}
    return [place for rows in read for place in rows.places], notes, [str(one) for rows in read for one in rows.remarks]


def small(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(portions, "_AT_ONCE", rows)
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 17 * rows)


@pytest.mark.every(3)
@pytest.mark.parametrize("rows", [1, 10, 96])
@pytest.mark.parametrize("kind", KINDS)
def test_portions_tell_what_the_whole_file_tells(
    kind: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, end = KINDS[kind]
    data, path = make(tmp_path, end)
    (whole,) = read_by_run(path, data)
    (exported,) = read_by_export(path, data)
    assert told([exported]) == told([whole])
    assert len(whole.places) == ROWS
    small(monkeypatch, rows)
    read = list(read_by_run(path, data))
    assert len(read) > 1
    assert torch.equal(torch.cat([one.encoded for one in read]), whole.encoded)
    assert told(read) == told([whole])
    again = list(read_by_export(path, data))
    assert len(again) == len(read)
    assert told(again) == told([whole])
    for name, array in exported.feeds.arrays.items():
        assert numpy.array_equal(numpy.concatenate([one.feeds.arrays[name] for one in again]), array)


@pytest.mark.parametrize("kind", ["table.csv", "table.parquet", "numbers.csv", "numbers.npy"])
@pytest.mark.parametrize("reader", [read_by_run, read_by_export])
def test_a_wrong_row_is_named_as_in_one_portion(
    kind: str, reader: Callable[[Path, Any], Iterator[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, end = KINDS[kind]
    data, path = make(tmp_path, end, wrong=88)
    # Called as its answer would be: by the line of the file, the first of which has the names, else by its number.
    place = "90" if kind.endswith(".csv") else "89"
    with pytest.raises(UserError, match=rf"\b{place}\b") as whole:
        list(reader(path, data))
    small(monkeypatch, 10)
    answered: list[str] = []
    with pytest.raises(UserError, match=rf"\b{place}\b") as late:
        answered.extend(place for rows in reader(path, data) for place in rows.places)
    assert len(answered) > 60
    assert str(late.value) == str(whole.value)


@pytest.mark.parametrize("reader", [read_by_run, read_by_export])
def test_an_array_without_samples_is_refused(reader: Callable[[Path, Any], Iterator[Any]], tmp_path: Path) -> None:
    data, path = numbers(tmp_path, ".npy")
    numpy.save(path, numpy.zeros((0, 4)))
    with pytest.raises(UserError, match="npy"):
        list(reader(path, data))
