"""Pictures whose paths stand in a table: what is read, what is told, and what is refused with its line."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from danlu import Run, fit
from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.standard import Pixels

CLASSES = ("red", "green", "blue")


def pictures(folder: Path, count: int = 60) -> list[str]:
    """So many small pictures, each of one colour; their paths from `folder` on."""
    random = numpy.random.default_rng(0)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for n in range(count):
        pixels = random.integers(0, 60, (12, 12, 3), dtype=numpy.uint8)
        pixels[..., n % 3] += 150
        Image.fromarray(pixels).save(folder / "images" / f"{n}.png")
    return [f"images/{n}.png" for n in range(count)]


def table(folder: Path, rows: list[str] | None = None, name: str = "labels.csv", head: str = "image,label") -> Path:
    paths = pictures(folder)
    rows = [f"{path},{CLASSES[n % 3]}" for n, path in enumerate(paths)] if rows is None else rows
    (folder / name).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return folder / name


def test_the_pictures_are_those_of_the_same_folders(tmp_path: Path) -> None:
    data = load(table(tmp_path), target="label")
    assert (data.task, data.classes, data.sample_shape) == ("classification", ("blue", "green", "red"), (3, 12, 12))
    assert isinstance(data.encoder, Pixels)
    assert "listed.read" in [note.id for note in data.notes]
    for n in range(60):
        (tmp_path / "folders" / CLASSES[n % 3]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / f"{n}.png").rename(tmp_path / "folders" / CLASSES[n % 3] / f"{n}.png")
    by_folder = load(tmp_path / "folders")
    assert (by_folder.sizes, by_folder.classes) == (data.sizes, data.classes)


def test_the_only_other_column_needs_no_name(tmp_path: Path) -> None:
    assert load(table(tmp_path)).classes == ("blue", "green", "red")


@pytest.mark.parametrize("form", ["absolute", "windows", "above"])
def test_paths_of_other_forms(tmp_path: Path, form: str) -> None:
    paths = pictures(tmp_path)
    changed: dict[str, Callable[[str], str]] = {
        "absolute": lambda path: str(tmp_path / path),
        "windows": lambda path: path.replace("/", "\\"),
        "above": lambda path: f"../{tmp_path.name}/{path}",
    }
    rows = [f"{changed[form](path)},{n % 3}" for n, path in enumerate(paths)]
    data = load(table(tmp_path, rows), target="label")
    assert data.classes == ("0", "1", "2")


def test_parts_in_tables_of_their_own(tmp_path: Path) -> None:
    rows = [f"images/{n}.png,{CLASSES[n % 3]}" for n in range(60)]
    test = table(tmp_path, rows[45:], "test.csv")
    data = load(table(tmp_path, rows[:45], "train.csv"), target="label", test_path=test)
    assert data.sizes == {"train": 41, "validation": 4, "test": 15}


def test_a_group_stands_in_one_part(tmp_path: Path) -> None:
    rows = [f"images/{n}.png,{CLASSES[n % 3]},{n // 6}" for n in range(60)]
    data = load(table(tmp_path, rows, head="image,label,patient"), target="label", group="patient")
    assert data.numbers is not None
    groups = [{n // 6 for n in part.tolist()} for part in data.numbers.split(list(data.sizes.values()))]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert "patient" in next(str(note) for note in data.notes if note.id == "listed.beside")


def test_labels_that_change_are_seen_though_the_files_stay(tmp_path: Path) -> None:
    first = load(table(tmp_path), target="label")
    rows = [f"images/{n}.png,{CLASSES[n // 20]}" for n in range(60)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows]))
    assert load(tmp_path / "labels.csv", target="label").fingerprint() != first.fingerprint()


@pytest.mark.parametrize("options", [{"drop": ["image"]}, {"columns": ["size"]}])
def test_a_table_stays_a_table_where_its_pictures_are_left_out(tmp_path: Path, options: dict[str, Any]) -> None:
    rows = [f"images/{n}.png,{n * n % 17}.5,{CLASSES[n % 3]}" for n in range(60)]
    data = load(table(tmp_path, rows, head="image,size,label"), target="label", **options)
    assert data.encoder.facts()["features"] == ["size"]


def test_names_of_pictures_that_nobody_kept_are_text(tmp_path: Path) -> None:
    rows = [f"gone/{n}.png,{n * n % 17}.5,{CLASSES[n % 3]}" for n in range(60)]
    data = load(table(tmp_path, rows, head="image,size,label"), target="label")
    assert data.encoder.facts()["features"] == ["size"]


def row(folder: Path, how: str) -> str:
    odd = folder / "images" / "odd.png"
    if how == "pipe":
        os.mkfifo(odd)
    elif how == "damaged":
        odd.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return {"missing": "images/none.png,red", "empty": ",red", "no label": "images/1.png,"}.get(
        how, "images/odd.png,red"
    )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", r"labels\.csv, line 4: there is no image .*none\.png"),
        ("empty", r'line 4: the column "image" names no image'),
        ("no label", r'images without a class in "label": 1, the first in line 4'),
        ("pipe", r"odd\.png.*pipe"),
        ("damaged", r"odd\.png"),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path: Path, how: str, message: str) -> None:
    paths = pictures(tmp_path)
    rows = [f"{path},{CLASSES[n % 3]}" for n, path in enumerate(paths)]
    rows[2] = row(tmp_path, how)
    with pytest.raises(UserError, match=message):
        load(table(tmp_path, rows), target="label")


@pytest.mark.parametrize(
    ("target", "label", "message"),
    [
        ("image", "red", r'it is not "image"'),
        ("lable", "red", "there is no column"),
        ("label", "1.5", "numbers with fractions|classes"),
        ("label", "one", "target"),
        ("label,image", "red", "one column of classes"),
    ],
)
def test_what_is_no_class_is_refused(tmp_path: Path, target: str, label: str, message: str) -> None:
    several = {"red": CLASSES, "1.5": ("1.5", "2.5", "3.5"), "one": ("one",)}[label]
    import polars

    labels = [several[n % len(several)] for n in range(60)]
    typed = [float(one) for one in labels] if label == "1.5" else labels
    frame = polars.DataFrame({"image": pictures(tmp_path), "label": typed})
    frame.write_parquet(tmp_path / "labels.parquet")
    frame.write_csv(tmp_path / "labels.csv")
    for name in ("labels.parquet", "labels.csv"):
        with pytest.raises(UserError, match=message):
            load(tmp_path / name, target=target)


def test_a_table_without_a_line_of_names_is_refused(tmp_path: Path, language: str) -> None:
    rows = [f"{path},{CLASSES[n % 3]}" for n, path in enumerate(pictures(tmp_path))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    with pytest.raises(UserError, match=r"data\.header"):
        load(tmp_path / "t.csv")
    assert sum(load(tmp_path / "t.csv", target=1, header=False).sizes.values()) == 60


def test_a_run_answers_pictures_folders_and_tables_from_its_folder_alone(tmp_path: Path) -> None:
    path = table(tmp_path / "data")
    run = fit("softmax-regression", path, target="label", epochs=20, folder=tmp_path / "run", progress=False)
    assert run.score["test"]["accuracy"] == 1
    path.rename(tmp_path / "data" / "new.csv")
    again = Run(run.folder)
    answers = again.predict(tmp_path / "data" / "new.csv").tolist()
    assert answers == [CLASSES[n % 3] for n in range(60)]
    one = again.predict(tmp_path / "data" / "images" / "4.png")
    assert one.tolist() == ["green"]
    scored = again.evaluate(tmp_path / "data" / "new.csv")
    assert scored["accuracy"] == 1
