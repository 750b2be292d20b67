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


def texts(place: Path) -> tuple[Any, Path]:
    """A column of texts, with its labels beside it."""
    rows = [f"the {one} sank again,{one[0]}" for one in ("lead", "gold", "tin", "silver")] * 10
    (place / "t.csv").write_text("\n".join(["text,kind", *(f"{n} {row}" for n, row in enumerate(rows))]))
    return danlu.load(place / "t.csv", target="kind"), place / "t.csv"


def text_files(place: Path) -> tuple[Any, Path]:
    for name in ("lead", "gold"):
        (place / "notes" / name).mkdir(parents=True)
        for number in range(10):
            (place / "notes" / name / f"{number}.txt").write_text(f"{name} sank again\n{number} times")
    return danlu.load(place / "notes"), place / "notes"


def pairs(place: Path) -> tuple[Any, Path]:
    rows = [f"{one} {two},{two} {one}" for one in ("lead", "gold", "tin") for two in ("ash", "oak", "elm", "fir")] * 3
    (place / "t.csv").write_text("\n".join(["from,to", *rows]))
    return danlu.load(place / "t.csv", target="to", task="translation"), place / "t.csv"


def series(place: Path) -> tuple[Any, Path]:
    rows = [f"2024-01-{1 + row:02d},{'abc'[row % 3]},{row / 7:.3f}" for row in range(31)]
    (place / "t.csv").write_text("\n".join(["day,kind,y", *rows[::-1]]))
    return danlu.load(place / "t.csv", target="y", window=4, horizon=2), place / "t.csv"


def tags(place: Path) -> tuple[Any, Path]:
    (place / "w.txt").write_text("the cat  sat\n\na dog\n")
    return danlu.load(([["the", "cat"], ["a", "dog", "ran"]] * 20, [["D", "N"], ["D", "N", "V"]] * 20)), place / "w.txt"


def listed(place: Path) -> tuple[Any, Path]:
    """Pictures whose paths stand in a table."""
    folder = folder_of(place / "images", "uint8", 255, 3, ".png")
    rows = [f"{file.relative_to(place)},{file.parent.name}" for file in sorted(folder.rglob("*.png"))]
    (place / "t.csv").write_text("\n".join(["path,kind", *rows]))
    return danlu.load(place / "t.csv", target="kind"), place / "t.csv"


def masks(place: Path) -> tuple[Any, Path]:
    """Pictures of several proportions: they are squeezed, not cut."""
    numbers = numpy.random.default_rng(0)
    for folder in ("images", "masks"):
        (place / "seen" / folder).mkdir(parents=True)
    for number in range(12):
        sides = (20, 16) if number % 3 else (18, 30)
        pixels = numbers.integers(0, 255, (*sides, 3)).astype("uint8")
        Image.fromarray(pixels).save(place / "seen" / "images" / f"{number}.png")
        Image.fromarray(pixels[..., 0] // 128).save(place / "seen" / "masks" / f"{number}.png")
    return danlu.load(place / "seen"), place / "seen" / "images"


KINDS: dict[str, Make] = {
    "grey": pictures("uint8", 255, 1, ".png"),
    "colours": pictures("uint8", 255, 3, ".png"),
    "deep": pictures("uint16", 3000, 1, ".png"),
    "table": table,
    "arrays": arrays,
    "columns": columns,
    "lines": lines,
    "texts": texts,
    "text files": text_files,
    "series": series,
    "tags": tags,
    "masks": masks,
    "listed": listed,
}


@pytest.mark.every(3)
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


@pytest.mark.parametrize("make", [texts, pairs])
def test_texts_of_a_table_come_with_their_labels(make: Make, tmp_path: Path) -> None:
    data, path = make(tmp_path)
    fitted = Preprocessing.of(data)
    (ours,) = read_file_rows(path, Interface(to_plain(fitted)), FileOptions(), "kind")
    (theirs,) = read_rows(path, fitted, "kind", FileOptions())
    tokens = theirs.encoded if theirs.encoded.dim() == 2 else theirs.encoded[:, 0]
    assert (torch.from_numpy(ours.feeds.arrays["tokens"]) == tokens[:, : ours.feeds.arrays["tokens"].shape[1]]).all()
    if make is texts:
        assert ours.targets == [fitted.classes[number] for number in theirs.targets.tolist()]


@pytest.mark.parametrize("make", [listed, text_files])
def test_files_come_with_their_labels(make: Make, tmp_path: Path) -> None:
    data, path = make(tmp_path)
    fitted = Preprocessing.of(data)
    (ours,) = read_file_rows(path, Interface(to_plain(fitted)), FileOptions())
    (theirs,) = read_rows(path, fitted, None, FileOptions())
    assert theirs.targets is not None
    assert ours.targets == [fitted.classes[number] for number in theirs.targets.tolist()]


def test_behind_a_window_stand_its_day_and_what_came_next(tmp_path: Path) -> None:
    data, path = series(tmp_path)
    fitted = Preprocessing.of(data)
    (ours,) = read_file_rows(path, Interface(to_plain(fitted)), FileOptions())
    (theirs,) = read_rows(path, fitted, "y", FileOptions())
    assert dict(ours.beside) == theirs.beside
    assert ours.targets is not None and theirs.targets is not None
    scale, mean = (torch.tensor(numbers) for numbers in (fitted.target.scale, fitted.target.mean))
    found = torch.tensor([[float("nan") if one is None else one for one in row] for row in ours.targets])
    assert torch.allclose(found.double(), theirs.targets * scale + mean, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("colours", "cut at the longer sides"), ("masks", "squeezed"), ("arrays", None)],
)
def test_it_is_told_how_pictures_are_resized(kind: str, wanted: str | None, tmp_path: Path) -> None:
    told = Interface(to_plain(Preprocessing.of(KINDS[kind](tmp_path)[0]))).description()["inputs"][0].get("resize")
    if wanted is None:
        assert told is None
        return
    assert (told["inside"], told["filter"]) == (False, "PIL.Image.Resampling.BILINEAR")
    assert wanted in told["steps"][-1]


@pytest.mark.parametrize("kind", ["colours", "masks", "deep"])
def test_the_steps_that_are_told_make_the_pixels(kind: str, tmp_path: Path) -> None:
    """Whoever follows the metadata to the letter gives the net the very bytes."""
    from PIL import ImageOps

    data, folder = KINDS[kind](tmp_path)
    interface = Interface(to_plain(Preprocessing.of(data)))
    told = interface.resizing
    assert told is not None
    sides = told["width"], told["height"]
    for rows in read_file_rows(folder, interface, FileOptions()):
        for place, pixels in zip(rows.places, rows.feeds.arrays["pictures"], strict=True):
            picture = ImageOps.exif_transpose(Image.open(folder / place))
            if picture.mode.startswith("I"):
                deep = numpy.asarray(picture) * (255 / told["white"])
                picture = Image.fromarray(deep.round().clip(0, 255).astype(numpy.uint8))
            picture = picture.convert(told["mode"])
            if kind == "masks":
                picture = picture.resize(sides, Image.Resampling.BILINEAR)
            else:
                picture = ImageOps.fit(picture, sides, Image.Resampling.BILINEAR)
            assert numpy.array_equal(numpy.asarray(picture), pixels)
