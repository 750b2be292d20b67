"""Tables given part by part, without names, and asked for by number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch
from PIL import Image

from danlu.base.errors import UserError
from danlu.base.recipe_text import RecipeDraft
from danlu.data import load
from danlu.run.listeners.prediction_collector import PredictionCollector

ROWS = [f"{n % 7 * 1.5},{n % 5},{'ab'[n % 2]}" for n in range(60)]


def table(path: Path, rows: list[str], header: str = "x,z,y") -> Path:
    path.write_text("\n".join([header, *rows] if header else rows) + "\n")
    return path


def tables(folder: Path, parts: dict[str, slice]) -> dict[str, Any]:
    return {word: table(folder / f"{word}.csv", ROWS[rows]) for word, rows in parts.items()}


THREE = {"train": slice(40), "val": slice(40, 50), "test": slice(50, 60)}


@pytest.mark.parametrize("word", ["validation", "val", "valid", "dev", "VAL"])
def test_parts_are_files_and_have_many_names(word: str, tmp_path: Path) -> None:
    given = tables(tmp_path, {"train": slice(40), word: slice(40, 50), "test": slice(50, 60)})
    data = load(given, target="y")
    assert data.sizes == {"train": 40, "validation": 10, "test": 10}
    assert data.recipe is not None
    assert data.recipe.test_path == str(tmp_path / "test.csv")
    again = load(data.recipe.path, "y", validation_path=data.recipe.validation_path, test_path=data.recipe.test_path)
    assert again.fingerprint() == data.fingerprint()


def test_what_is_missing_is_taken_from_the_training_part(tmp_path: Path) -> None:
    given = tables(tmp_path, THREE)
    assert load({"train": given["train"], "val": given["val"]}, "y").sizes == {"train": 32, "validation": 10, "test": 8}
    assert load({"train": given["train"], "test": given["test"]}, "y").sizes == {
        "train": 36,
        "validation": 4,
        "test": 10,
    }
    assert load(given, "y", refit=True).sizes == {"train": 50, "validation": 0, "test": 10}
    assert load(given, "y", fold=(0, 5)).sizes == {"train": 40, "validation": 10, "test": 10}


def test_frames_arrays_and_texts_come_in_parts_too(tmp_path: Path) -> None:
    frame = polars.DataFrame({"x": [1.5, 2.5, 3.5, 4.5] * 10, "y": [0, 1, 1, 0] * 10})
    assert load({"train": frame, "val": frame[:8], "test": frame[:4]}, "y").sizes["validation"] == 8
    x, y = numpy.arange(40.0).reshape(20, 2), numpy.arange(20) % 2
    assert load({"train": (x, y), "dev": (x[:6], y[:6]), "test": (x[:4], y[:4])}).sizes["validation"] == 6
    words = ["good film", "bad film"] * 10
    assert load({"train": (words, [1, 0] * 10), "test": (words[:4], [1, 0] * 2)}).sizes["test"] == 4
    for part in ("train", "test"):
        (tmp_path / f"{part}.txt").write_text("the cat sat on the mat " * 40)
    assert load({part: tmp_path / f"{part}.txt" for part in ("train", "test")}).task == "language"


def test_folders_with_validation_and_no_test_keep_a_test_part(tmp_path: Path) -> None:
    for part, count in (("train", 20), ("dev", 5)):
        for label in "ab":
            (tmp_path / part / label).mkdir(parents=True)
            for n in range(count):
                Image.new("L", (4, 4), n + ord(label)).save(tmp_path / part / label / f"{n}.png")
    sizes = {"train": 32, "validation": 10, "test": 8}
    assert load(tmp_path).sizes == sizes
    assert load({"train": tmp_path / "train", "val": tmp_path / "dev"}).sizes == sizes


BAD: list[tuple[Callable[[Path], dict[str, Any]], str, str]] = [
    (lambda folder: {**tables(folder, THREE), "dev": "x.csv"}, "more than once: val, dev", "不止一次：val, dev"),
    (lambda folder: {"train": table(folder / "a.csv", ROWS), "hold": "b.csv"}, "parts given are", "给出的部分是"),
    (lambda folder: {"train": table(folder / "a.csv", ROWS), "test": folder / "b.csv"}, "no such file", "找不到"),
    (lambda folder: {"train": table(folder / "a.csv", ROWS), "test": folder}, "different kinds", "类型不一致"),
    (
        lambda folder: {"train": table(folder / "a.csv", ROWS), "test": table(folder / "b.csv", ROWS, "x,q,y")},
        r'b\.csv: there is no column "z"',
        '缺少 .* 里有的 "z" 列',
    ),
]


@pytest.mark.parametrize(("make", "english", "chinese"), BAD)
def test_parts_that_do_not_go_together_are_refused(
    make: Callable[[Path], dict[str, Any]], english: str, chinese: str, tmp_path: Path, language: str
) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load(make(tmp_path), "y")


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("0.02,0.03,R", ["0.05,0.07,M", "0.06,0.01,R"] * 9),
        ("5.1,3.5,Iris-setosa", ["4.9,3.0,Iris-setosa", "7.0,3.2,Iris-versicolor"] * 9),
        ("x,x,o", ["o,x,x", "x,o,o"] * 9),
        ("39,77516,Male", ["50,83311,Male", "38,215646,Female"] * 9),
        ("p,e,s", ["e,p,s", "p,p,t"] * 9),
    ],
)
def test_a_first_line_that_is_a_row_is_refused_and_can_be_kept(
    header: str, rows: list[str], tmp_path: Path, language: str
) -> None:
    path = table(tmp_path / "t.csv", rows, header)
    with pytest.raises(UserError, match="data.header = false"):
        load(path, target="y")
    data = load(path, target=-1, header=False)
    assert sum(data.sizes.values()) == len(rows) + 1
    assert (data.notes[0].id, data.notes[0].values["column"]) == ("data.column-by-number", "2")


@pytest.mark.parametrize("header", ["a,b,y", "0,1,2", "name,1990,1991", "x1,x2,1", "yes,n,label"])
def test_a_line_of_names_is_none(header: str, tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", ["yes,2.5,3.5", "no,1.5,2.25"] * 15, header)
    assert sum(load(path, target=0).sizes.values()) == 30


def test_a_name_of_digits_goes_before_a_number(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", [f"{n % 7}.5,{n % 3}.25,{n % 2}" for n in range(30)], "a,b,0")
    assert load(path, target="0").classes == ("0", "1")
    assert load(path, target=1).task == "regression"
    with pytest.raises(UserError, match='there is no column "7"'):
        load(path, target=7)


def test_sonar_without_its_names(data_root: Path, tmp_path: Path) -> None:
    bare = table(tmp_path / "sonar.csv", (data_root / "sonar.csv").read_text().splitlines()[1:], "")
    with pytest.raises(UserError, match="looks like a row of values"):
        load(bare, target="R")
    for target in (-1, 60, "60"):
        data = load(bare, target=target, header=False)
        assert (data.classes, sum(data.sizes.values()), data.sample_shape) == (("M", "R"), 208, (60,))


def test_a_recipe_has_numbers_for_columns(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[data]\npath = 'sonar.csv'\ntarget = -1\nheader = false\nencoding = 'gbk'\n")
    draft = RecipeDraft()
    draft.read_file(tmp_path / "r.toml")
    assert (draft.recipe().data.target, draft.recipe().data.header) == ("-1", False)
    draft.read_words(["data.target=60", "data.header=true"])
    assert (draft.recipe().data.target, draft.recipe().data.header) == ("60", True)


def test_new_rows_are_read_as_the_training_rows_were(tmp_path: Path) -> None:
    rows = [f'"{n},5";{n % 28 + 1:02d}.02.2020;{"ab"[n % 2]};0{n % 10}' for n in range(60)]
    data = load(table(tmp_path / "t.csv", rows, "size;day;y;code"), target="y", validation=0, test=0)
    x, _ = next(data.batches("train", 60, device=torch.device("cpu")))
    raw = {"size": "3,5", "day": "04.02.2020", "code": "03"}
    assert torch.allclose(data.encode(raw), x[3])
    assert torch.allclose(data.encode({"size": ["3,5"], "day": ["2020-02-04"], "code": ["03"]}), x[3])
    with pytest.raises(UserError, match=r'"size", row 1: "3.5" is not written as .*\(1\.234,56\)'):
        data.encode({**raw, "size": "3.5"})


def test_a_row_is_called_by_its_line_and_its_features(tmp_path: Path) -> None:
    rows = [f'{n % 7},"two\nlines {n % 2}",{"ab"[n % 2]}' for n in range(40)]
    data = load(table(tmp_path / "t.csv", rows, "x,kind,y"), target="y")
    x, y = next(data.batches("test", 40, device=torch.device("cpu")))
    collector = PredictionCollector(data, "test")
    list(collector.seen([(x, y)]))
    collector.add(torch.randn(len(y), 2), y)
    record = collector.record()
    assert record is not None
    told = record.worst[0].text
    line = int(told.partition(":")[2].partition(" ")[0])
    row = (line - 2) // 2
    assert told == f"t.csv:{line} · x {row % 7} · kind two\nlines {row % 2}"
