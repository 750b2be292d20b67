"""A file goes into an exported net with the very numbers with which it goes into its run, whatever kind it is of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import danlu
from danlu.data.plain import to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.ship.export.files import read_file_rows
from danlu.ship.export.interface import Interface
from danlu.ship.export.program import front_of
from danlu.ship.inputs import read_rows

Make = Callable[[Path], tuple[Any, Path]]


def folder_of(place: Path, dtype: str, brightest: int, channels: int, end: str) -> Path:
    numbers = numpy.random.default_rng(0)
    for label, most in (("light", brightest), ("dark", brightest // 10)):
        (place / label).mkdir(parents=True)
        for number in range(12):
            shape = (20, 16) if channels == 1 else (20, 16, channels)
            Image.fromarray(numbers.integers(0, most, shape).astype(dtype)).save(place / label / f"{number}{end}")
    return place


def pictures(dtype: str, brightest: int, channels: int, end: str) -> Make:
    def make(place: Path) -> tuple[Any, Path]:
        folder = folder_of(place / "images", dtype, brightest, channels, end)
        return danlu.load(folder), folder / "dark"

    return make


def table(place: Path) -> tuple[Any, Path]:
    rows = [f"{row % 9 if row % 6 else ''},{'abc'[row % 3]},{row / 7:.3f}" for row in range(40)]
    (place / "t.csv").write_text("\n".join(["size,kind,y", *rows]))
    return danlu.load(place / "t.csv", target="y"), place / "t.csv"


def arrays(place: Path) -> tuple[Any, Path]:
    x = numpy.random.default_rng(0).normal(3, 5, (40, 4))
    numpy.save(place / "x.npy", x)
    return danlu.load((x, [row % 2 for row in range(40)])), place / "x.npy"


def columns(place: Path) -> tuple[Any, Path]:
    data, file = arrays(place)
    lines = [",".join(map(str, row)) for row in numpy.load(file).tolist()]
    (place / "x.csv").write_text("\n".join(["a,b,c,d", *lines]))
    return data, place / "x.csv"


def lines(place: Path) -> tuple[Any, Path]:
    words = ["furnace", "elixir", "mercury", "cinnabar", "lead"] * 8
    (place / "w.txt").write_text("\n".join(["elixir", "", "leaden", *words]))
    return danlu.load((words, [len(word) % 2 for word in words]), tokens="characters"), place / "w.txt"


KINDS: dict[str, Make] = {
    "grey": pictures("uint8", 255, 1, ".png"),
    "colours": pictures("uint8", 255, 3, ".png"),
    "deep": pictures("uint16", 3000, 1, ".png"),
    "table": table,
    "arrays": arrays,
    "columns": columns,
    "lines": lines,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_and_its_export_read_the_same_numbers(kind: str, tmp_path: Path) -> None:
    data, path = KINDS[kind](tmp_path)
    fitted = Preprocessing.of(data)
    interface, options = Interface(to_plain(fitted), raw=True), FileOptions()
    front = front_of(fitted, resizes=False)
    theirs = list(read_rows(path, fitted, None, options))
    ours = list(read_file_rows(path, interface, options))
    assert [place for rows in ours for place in rows.places] == [place for rows in theirs for place in rows.places]
    encoded = [front([torch.as_tensor(rows.feeds.arrays[one.name]) for one in interface.inputs]) for rows in ours]
    assert torch.equal(torch.cat(encoded), torch.cat([rows.encoded for rows in theirs]))
