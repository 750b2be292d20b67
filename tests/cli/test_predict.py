"""`danlu predict` and `danlu generate`: answers from a run's folder, in both languages, and what is refused."""

import csv
import io
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest

import danlu
from command_line import Type, assert_refused
from danlu.data.readers import table_blocks
from danlu.ship import portions

TRAIN = "size,kind,y\n" + "".join(
    f"{row % 9},{'abc'[row % 3]},{'big' if row % 9 > 4 else 'small'}\n" for row in range(120)
)
QUIET: dict[str, Any] = {"progress": False, "watch": False}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs in `sizes` (classes), `prices` (a number) and `letters` (a language model), whose data are gone."""
    place = tmp_path_factory.mktemp("trained")
    table = place / "table.csv"
    table.write_text(TRAIN, encoding="utf-8")
    danlu.fit("mlp", table, target="y", folder=place / "sizes", epochs=30, lr=0.1, **QUIET)
    table.write_text("size,price\n" + "".join(f"{row % 50},{3 * (row % 50)}\n" for row in range(200)), encoding="utf-8")
    danlu.fit("mlp", table, target="price", folder=place / "prices", epochs=40, **QUIET)
    text = place / "text.txt"
    text.write_text("the cat sat on the mat. " * 200, encoding="utf-8")
    danlu.fit("language-model", text, folder=place / "letters", epochs=1, hidden=8, embedding=8, **QUIET)
    table.unlink()
    text.unlink()
    return place


@pytest.fixture
def file(work: Path) -> Path:
    path = work / "new.csv"
    path.write_text("size,kind,y\n8,a,big\n1,b,small\n0,z,big\n", encoding="utf-8")
    return path


def test_answers_as_one_object(type_in: Type, trained: Path, file: Path) -> None:
    answer = type_in("predict", trained / "sizes", file, "--top", "2", "--json")
    assert answer.code == 0
    rows = answer.json["rows"]
    assert [row["row"] for row in rows] == ["2", "3", "4"]
    assert [row["answer"] for row in rows] == ["big", "small", "small"]
    assert rows[0]["answer_2"] == "small"
    assert rows[0]["probability"] + rows[0]["probability_2"] == pytest.approx(1)
    assert '"z"' in rows[2]["note"]
    assert answer.json["score"]["accuracy"] == pytest.approx(2 / 3)
    assert answer.json["samples"] == 3


def test_without_a_terminal_csv_is_printed(type_in: Type, trained: Path, file: Path) -> None:
    answer = type_in("predict", trained / "sizes", file)
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [row["answer"] for row in rows] == ["big", "small", "small"]
    assert list(rows[0]) == ["file", "row", "answer", "probability", "note"]


def test_answers_are_written(type_in: Type, trained: Path, file: Path, work: Path, language: str) -> None:
    answer = type_in("predict", trained / "sizes", file, "--output", "answers.csv", "--lang", language)
    assert answer.code == 0
    assert "answers.csv" in answer.out
    assert ("答案" in answer.out) == (language == "zh")
    written = list(csv.DictReader(io.StringIO((work / "answers.csv").read_text(encoding="utf-8"))))
    assert [row["answer"] for row in written] == ["big", "small", "small"]


def test_numbers_come_with_the_range_of_the_true_value(type_in: Type, trained: Path, work: Path) -> None:
    (work / "new.csv").write_text("size\n10\n20\n", encoding="utf-8")
    rows = type_in("predict", trained / "prices", "new.csv", "--json").json["rows"]
    assert [row["low"] < true < row["high"] for row, true in zip(rows, (30, 60), strict=True)] == [True, True]


@pytest.mark.parametrize("word", ["new", "new/*.csv"])
def test_several_files_in_one_word(word: str, type_in: Type, trained: Path, work: Path) -> None:
    (work / "new").mkdir()
    for name in ("a", "b"):
        (work / "new" / f"{name}.csv").write_text("size,kind,y\n8,a,big\n1,b,small\n", encoding="utf-8")
    answer = type_in("predict", trained / "sizes", word, "--json")
    told = [(row["file"], row["row"], row["answer"]) for row in answer.json["rows"]]
    assert told == [(f"new/{name}.csv", row, size) for name in "ab" for row, size in (("2", "big"), ("3", "small"))]
    assert danlu.Run(trained / "sizes").predict(word).tolist() == ["big", "small"] * 2
    assert answer.json["samples"] == danlu.Run(trained / "sizes").evaluate(word)["accuracy"] * 4


def test_a_pattern_that_stands_for_nothing_is_told(type_in: Type, trained: Path, language: str) -> None:
    assert_refused(type_in("predict", trained / "sizes", "none/*.csv", "--lang", language), language, "none/*.csv")


def test_standard_input_is_a_file_too(type_in: Type, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"size,kind\n8,a\n1,b\n")))
    rows = type_in("predict", trained / "sizes", "-", "--json").json["rows"]
    assert [(row["file"], row["answer"]) for row in rows] == [("-", "big"), ("-", "small")]


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "empty|空"), (b"size\n1\n", "kind"), ("身高\n1\n".encode("gbk"), "kind")]
)
def test_standard_input_has_its_name(
    content: bytes, word: str, type_in: Type, trained: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    answer = type_in("predict", trained / "sizes", "-", "--lang", language)
    assert answer.code == 2
    assert ("standard input" if language == "en" else "标准输入") in answer.err
    assert "danlu-" not in answer.err
    assert re.search(word, answer.err)


def test_only_predict_reads_standard_input(type_in: Type, language: str) -> None:
    assert_refused(type_in("fit", "-", "--target", "y", "--lang", language), language, "danlu predict")


def test_a_copied_folder_answers_alike(type_in: Type, trained: Path, file: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(trained / "sizes", tmp_path / "elsewhere")
    here = type_in("predict", trained / "sizes", file, "--json").json["rows"]
    assert type_in("predict", copied, file, "--json").json["rows"] == here
    run = danlu.Run(copied)
    assert run.evaluate(file)["accuracy"] == pytest.approx(2 / 3)
    assert run.predict_proba([{"size": 8, "kind": "a"}]).max() == pytest.approx(here[0]["probability"])


def test_a_study_answers_by_its_best(type_in: Type, work: Path) -> None:
    (work / "t.csv").write_text(TRAIN, encoding="utf-8")
    typed = ("--vary", "optim.lr=0.1,0.2", "--seeds", "3", "train.epochs=5", "--folder", "study")
    assert type_in("compare", "t.csv", "--target", "y", "--net", "mlp", *typed).code == 0
    rows = type_in("predict", "study", "t.csv", "--json").json["rows"]
    assert len(rows) == 120


def test_a_text_goes_on(type_in: Type, trained: Path) -> None:
    typed = ("generate", trained / "letters", "the cat", "--tokens", "20", "--temperature", "0.8", "--seed", "3")
    first, again = (type_in(*typed, "--json").json["text"] for _ in range(2))
    assert first == again
    assert first.startswith("the cat")
    assert len(first) == len("the cat") + 20
    assert type_in(*typed).out.rstrip("\n") == first.rstrip()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("predict", "sizes"), ("danlu predict RUN",)),
        (("predict", "sizes", "absent.csv"), ("absent.csv",)),
        (("predict", "sizes", "new.csv", "--top", "many"), ("--top", "many")),
        (("predict", "sizes", "new.csv", "--top", "0"), ("--top", "0")),
        (("predict", "sizes", "new.csv", "--output", "new.csv"), ("new.csv", "--output")),
        (("predict", "sizes", "new.csv", "--output", "a.parquet"), ("a.parquet", "CSV")),
        (("predict", "sizes", "new.csv", "--output", "a.JSON"), ("a.JSON", "CSV")),
        (("predict", "letters", "new.csv"), ("danlu generate",)),
        (("predict", "prices", "new.csv", "--top", "2"), ("--top 2",)),
        (("predict", "sizes", "one.csv"), ("one.csv", "kind")),
        (("generate", "letters"), ("danlu generate RUN",)),
        (("generate", "letters", "the", "--tokens", "x"), ("--tokens", "x")),
        (("generate", "letters", "the", "--top-k", "-3"), ("top_k", "-3")),
        (("generate", "sizes", "the"), ()),
        (("predict", "no-such-run", "new.csv"), ("no-such-run",)),
    ],
)
def test_what_is_refused(
    type_in: Type, trained: Path, file: Path, language: str, typed: tuple[str, ...], words: tuple[str, ...]
) -> None:
    verb, run, *rest = typed
    run = str(trained / run) if (trained / run).exists() else run
    before = file.read_bytes()
    file.with_name("one.csv").write_text("size\n1\n", encoding="utf-8")
    assert_refused(type_in(verb, run, *rest, "--lang", language), language, *words)
    assert file.read_bytes() == before


def test_wrong_columns_are_all_named(type_in: Type, trained: Path, work: Path, language: str) -> None:
    (work / "new.csv").write_text("Size,colour\n1,red\n", encoding="utf-8")
    answer = type_in("predict", trained / "sizes", "new.csv", "--lang", language)
    assert answer.code == 2
    assert all(word in answer.err for word in ("new.csv", "size", "kind"))


@pytest.fixture(scope="module")
def answering(trained: Path) -> dict[str, Path]:
    """What answers: a run, and its export."""
    danlu.Run(trained / "sizes").export(trained / "sizes.onnx")
    return {"run": trained / "sizes", "export": trained / "sizes.onnx"}


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "_AT_ONCE", 10)
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 100)


WRONG = TRAIN.rstrip().rsplit("\n", 5)[0] + "\nmany,a,big\n"


@pytest.mark.every(2)
@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("who", ["run", "export"])
def test_a_portion_in_a_portion_out(type_in: Type, answering: dict[str, Path], work: Path, who: str) -> None:
    (work / "t.csv").write_text(TRAIN + "9000,z,big\n", encoding="utf-8")
    answer = type_in("predict", answering[who], "t.csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [row["row"] for row in rows] == [str(line) for line in range(2, 123)]
    assert '"z"' in rows[-1]["note"]
    assert "9000" in answer.err
    assert "row 122" in answer.err
    whole = type_in("predict", answering[who], "t.csv", "--json").json
    assert [row["answer"] for row in whole["rows"]] == [row["answer"] for row in rows]
    assert list(whole) == ["run", "rows", "score", "samples", "left_out", "file"]
    assert whole["samples"] == 121
    assert type_in("predict", answering[who], "t.csv", "--output", "new/answers.csv").code == 0
    assert (work / "new/answers.csv").read_text(encoding="utf-8").splitlines() == answer.out.splitlines()


@pytest.mark.every(2)
@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("who", ["run", "export"])
@pytest.mark.parametrize("before", [None, "kept"])
def test_nothing_half_written_stays(
    type_in: Type, answering: dict[str, Path], work: Path, who: str, before: str | None
) -> None:
    (work / "t.csv").write_text(WRONG, encoding="utf-8")
    output = work / "answers.csv" if before else work / "new" / "deep" / "answers.csv"
    if before:
        output.write_text(before)
    files = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    answer = type_in("predict", answering[who], "t.csv", "--output", output)
    assert answer.code == 2
    assert answer.out == ""
    assert "row 117" in answer.err
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == files
    assert not (work / "new").exists()
    refused = type_in("predict", answering[who], "t.csv", "--json")
    assert list(refused.json) == ["error"]
    assert "row 117" in type_in("predict", answering[who], "t.csv").err


def test_every_missing_file_is_named_before_anything_is_answered(type_in: Type, trained: Path, file: Path) -> None:
    answer = type_in("predict", trained / "sizes", file, "absent.csv", "gone.csv")
    assert (answer.code, answer.out) == (2, "")
    assert ["absent.csv" in answer.faults[0], "gone.csv" in answer.faults[1]] == [True, True]


def test_what_is_no_text_is_written_all_the_same(type_in: Type, trained: Path, file: Path, work: Path) -> None:
    odd = work / os.fsdecode(b"a\xff.csv")
    shutil.copy(file, odd)
    assert type_in("predict", trained / "sizes", odd, "--output", "answers.csv").code == 0
    assert (work / "answers.csv").read_bytes().count(b"a?.csv") == 3


def test_masks_are_written_for_images(type_in: Type, work: Path) -> None:
    for name in ("images", "masks"):
        (work / "fields" / name).mkdir(parents=True)
        for row in range(12):
            pixels = numpy.indices((8, 8)).sum(0) % 2 * (200 if name == "images" else 1)
            picture = PIL.Image.fromarray(pixels.astype(numpy.uint8))
            picture.save(work / "fields" / name / f"{row}.png")
    net = {"name": "unet", "width": 2, "depth": 1}
    danlu.fit(net, work / "fields", epochs=1, folder=work / "run", progress=False)
    images, wide = work / "fields" / "images", work / "wide.jpg"
    PIL.Image.new("L", (20, 10)).save(wide)
    told = type_in("predict", work / "run", images, wide, "--output", work / "out")
    assert told.code == 0 and told.out.splitlines()[0] == "file,row,0,1" and ": 13, " in told.err
    names = sorted(path.name for path in (work / "out").iterdir())
    assert names == sorted([*(f"{row}.png" for row in range(12)), "wide.png"])
    with PIL.Image.open(work / "out" / "wide.png") as mask:
        assert mask.size == (20, 10) and set(numpy.asarray(mask).flatten().tolist()) <= {0, 1}
    assert type_in("predict", work / "run", wide, "--output", work / "one.png").code == 0
    assert (work / "one.png").is_file()
    assert type_in("predict", work / "run", images, "--output", work / "a.csv").code == 0
    assert (work / "a.csv").read_text(encoding="utf-8").startswith("file,row,0,1")


def test_masks_are_not_written_over_a_file(type_in: Type, work: Path, language: str) -> None:
    x = numpy.indices((4, 8, 8)).sum(0).astype(numpy.uint8)
    danlu.fit({"name": "unet", "width": 2, "depth": 1}, (x, x % 2), epochs=1, folder=work / "run", progress=False)
    numpy.save(work / "x.npy", x)
    (work / "taken").write_text("", encoding="utf-8")
    told = type_in("--lang", language, "predict", work / "run", work / "x.npy", "--output", work / "taken")
    assert told.code == 2 and {"en": "is a file", "zh": "是一个文件"}[language] in told.err
    assert type_in("predict", work / "run", work / "x.npy", "--output", work / "out").code == 0
    assert sorted(path.name for path in (work / "out").iterdir()) == [f"x-{row}.png" for row in range(1, 5)]


def test_sentences_are_tagged_and_scored(type_in: Type, work: Path) -> None:
    text = "".join(f"the\tART\n{word}\tNOUN\n\n" for word in ("cat", "dog", "owl")) * 10
    (work / "words.conll").write_text(text, encoding="utf-8")
    assert type_in("fit", "words.conll", "net.hidden=4", "train.epochs=1", "--name", "tags").code == 0
    answer = type_in("predict", "runs/tags", "words.conll", "--json")
    assert answer.code == 0 and len(answer.json["rows"]) == 30 and "f1" in answer.json["score"]
    assert set(answer.json["rows"][0]["answer"].split()) <= {"ART", "NOUN"}
    (work / "lines.txt").write_text("the cat\n", encoding="utf-8")
    assert len(type_in("predict", "runs/tags", "lines.txt", "--json").json["rows"][0]["answer"].split()) == 2
