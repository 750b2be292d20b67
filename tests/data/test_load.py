"""What load takes, and what it refuses."""

import errno
import os
from pathlib import Path
from typing import Any

import polars
import pytest
from PIL import Image

from danlu.base.errors import UserError
from danlu.data import load


def test_a_dataset_passes_through() -> None:
    data = load("digits")
    assert load(data) is data


def test_data_may_be_given_a_name() -> None:
    assert load("digits", name="mine").name == "mine"
    assert load(([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])).name == "arrays"


@pytest.mark.parametrize(
    ("source", "english", "chinese"),
    [
        (5, "Data of the type int cannot be loaded", "无法加载 int 类型的数据"),
        (object(), "Data of the type object cannot be loaded", "无法加载 object 类型的数据"),
        ({}, "Data of the type dict cannot be loaded", "无法加载 dict 类型的数据"),
        ([], "Data of the type list cannot be loaded", "无法加载 list 类型的数据"),
    ],
)
def test_what_is_no_data_is_refused(source: Any, english: str, chinese: str, language: str) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load(source)


def test_an_unknown_task_is_refused(language: str) -> None:
    words = {"en": 'task is "clasification".*Did you mean "classification"', "zh": 'task 的值是 "clasification"'}
    with pytest.raises(UserError, match=words[language]):
        load("digits", task="clasification")


ONCE = "data.steps is for texts.*\n.*data.partition is for running text"


@pytest.mark.parametrize(
    ("source", "options", "english", "chinese"),
    [
        ("iris", {"steps": 5, "partition": "random"}, ONCE, "iris：data.steps 只用于文本"),
        ("digits", {"tokens": "words"}, "digits: data.tokens is for texts", "digits：data.tokens 只用于文本"),
        (
            "digits",
            {"task": "regression"},
            "data.task = regression does not fit",
            "data.task = regression 与这里的目标不符",
        ),
        ("iris", {"image_size": 9}, "iris: data.image_size is for images", "iris：data.image_size 只用于图像"),
        (
            (["a", "b"] * 9, [0, 1] * 9),
            {"augment": "flip"},
            "texts: data.augment is for images",
            "data.augment 只用于图像",
        ),
        ((["a", "b"] * 9, [0, 1] * 9), {"standardise": True}, "is for numbers and images", "只用于数值和图像"),
        ((["a", "b"] * 9, [0, 1] * 9), {"partition": "random"}, "is for running text", "只用于连续文本"),
        ("iris", {"fold_seed": 3}, "data.fold asks for none", "没有给出 data.fold"),
        ("iris", {"fold": (0, 5), "refit": True}, "give one of them", "请只给出其中一个"),
    ],
)
def test_options_that_say_nothing_to_these_data_are_refused_together(
    source: Any, options: dict[str, Any], english: str, chinese: str, language: str
) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load(source, **options)


def test_a_missing_file_is_refused_with_the_nearest(tmp_path: Path, language: str) -> None:
    (tmp_path / "train.csv").touch()
    words = {"en": r"trian\.csv: there is no such file. Did you mean \"train\.csv\"", "zh": "trian.csv：找不到这个文件"}
    with pytest.raises(UserError, match=words[language]):
        load(tmp_path / "trian.csv", target="y")


def test_a_folder_of_something_else_is_refused(tmp_path: Path, language: str) -> None:
    (tmp_path / "cat.txt").touch()
    with pytest.raises(UserError, match={"en": "this folder is no data set", "zh": "这个文件夹不是数据集"}[language]):
        load(str(tmp_path))


def test_a_file_of_an_unknown_kind_is_refused(tmp_path: Path, language: str) -> None:
    words = {
        "cat.docx": {"en": "cannot tell what kind of file", "zh": "无法识别文件类型"},
        "cat.jpg": {"en": "a single image is no data set", "zh": "一张图像不是数据集"},
        "cat.npy": {"en": "given in Python", "zh": "在 Python 中"},
    }
    for name, told in words.items():
        (tmp_path / name).write_bytes(b"\xff\xd8")
        with pytest.raises(UserError, match=told[language]):
            load(tmp_path / name, target="y")


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,y\n1,0\n")

    def refused(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", refused)
    words = {"en": r"t\.csv: cannot be read \(Permission denied\)", "zh": r"t\.csv：无法读取（Permission denied）"}
    with pytest.raises(UserError, match=words[language]):
        load(file, target="y")


@pytest.mark.parametrize("source", ["digits", ([[0.0], [1.0]] * 9, [0, 1] * 9)], ids=["pictures", "arrays"])
def test_a_target_is_for_tables(source: Any, language: str) -> None:
    words = {"en": 'data.target = "y": .* no columns to choose from', "zh": 'data.target = "y"：.*没有列可选'}
    with pytest.raises(UserError, match=words[language]):
        load(source, "y")
    assert load("iris", "petal width (cm)").task == "regression", "a table of the catalogue has columns"


def test_rows_as_dicts_are_a_table() -> None:
    rows: list[dict[str, Any]] = [
        {"size": 3.5},
        *({"size": place * 0.5, "kind": "ab"[place % 2]} for place in range(40)),
    ]
    columns = {"size": [row["size"] for row in rows], "kind": [None, *"ab" * 20]}
    assert load(rows, target="size").fingerprint() == load(columns, target="size").fingerprint()


SMALL, LARGE = (Image.new("L", sides) for sides in ((8, 8), (9, 8)))
NO_PICTURES: dict[str, tuple[list[Any], str, str]] = {
    "paths": (["a/1.png", "a/2.JPG"], "holds paths of images", "图像的路径"),
    "Paths": ([Path("a/1.png"), Path("a/2.png")], "holds paths of images", "图像的路径"),
    "sizes": ([SMALL, LARGE], "8×8, 9×8", "8×8, 9×8"),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_stands_for_pictures_is_told(name: str, language: str) -> None:
    items, english, chinese = NO_PICTURES[name]
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load((items * 20, [0, 1] * 20))


def test_a_frame_with_text_beside_its_target_is_told_to_hold_it(language: str) -> None:
    words = {"en": "as a column and name that", "zh": "并用 target 指明"}
    with pytest.raises(UserError, match=words[language]):
        load((polars.DataFrame({"a": [1, 2] * 9, "kind": ["a", "b"] * 9}), [0, 1] * 9))


def test_a_column_of_texts_is_a_list_of_them() -> None:
    texts, labels = ["abba", "baab", "xyzz", "zyx"] * 10, ["a", "a", "b", "b"] * 10
    data = load((polars.Series(texts), polars.Series(labels)))
    assert data.fingerprint() == load((texts, labels)).fingerprint()
