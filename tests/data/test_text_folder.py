"""Folders of texts: a folder for each class, a file for each text."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.data.plain import from_plain, to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.raw import raw_samples
from danlu.data.readers.csv_text import FileOptions
from danlu.data.table.column_texts import ColumnTexts
from danlu.ship.inputs import read_rows

WORDS = {"好评": "很好喜欢", "差评": "失望退货"}


def written(folder: Path, classes: Mapping[str, str], count: int = 20, encoding: str = "utf-8") -> Path:
    for name, text in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.txt").write_bytes(f"第{number}条：{text}。\n第二行".encode(encoding))
    return folder


def told(data: danlu.Dataset) -> list[str]:
    return [note.id.removeprefix("data.") for note in data.notes]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_the_folders_are_the_classes(encoding: str, tmp_path: Path) -> None:
    data = danlu.load(written(tmp_path / "评论", WORDS, encoding=encoding))
    assert (data.name, data.task, data.classes) == ("评论", "classification", ("好评", "差评"))
    assert sum(data.sizes.values()) == 40
    assert "told-text-files" in told(data)
    assert ("encodings-detected" in told(data)) == (encoding != "utf-8")
    raw = raw_samples(data, "test")
    assert all(WORDS[label] in text for text, label in zip(raw.samples, raw.targets or [], strict=True))


def test_short_texts_are_read_by_the_bytes_of_all(tmp_path: Path) -> None:
    folder = written(tmp_path / "t", WORDS)
    (folder / "好评" / "0.txt").write_bytes("好".encode("gbk"))
    (folder / "差评" / "0.txt").write_bytes("差，很失望".encode("gbk"))
    data = danlu.load(folder)
    (note,) = (note for note in data.notes if note.id == "data.encodings-detected")
    assert (note.values["count"], note.values["encoding"]) == (2, "gb18030")


def test_parts_of_their_own_are_kept(tmp_path: Path) -> None:
    for part, count in (("train", 20), ("test", 5)):
        written(tmp_path / "t" / part, WORDS, count)
    assert danlu.load(tmp_path / "t").sizes == {"train": 36, "validation": 4, "test": 10}
    given = danlu.load({"train": tmp_path / "t" / "train", "test": tmp_path / "t" / "test"})
    assert given.sizes == {"train": 36, "validation": 4, "test": 10}


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_to_be_answered_is_one_text(whole: bool, tmp_path: Path) -> None:
    folder = written(tmp_path / "t", WORDS)
    (folder / "好评" / "notes.md").write_text("no text")
    data = danlu.load(folder)
    assert "other-files-texts" in told(data)
    fitted = from_plain(to_plain(Preprocessing.of(data)))
    assert isinstance(fitted.encoder, ColumnTexts)
    path = folder if whole else folder / "好评" / "3.txt"
    (rows,) = read_rows(path, fitted, None, FileOptions())
    texts = [file.read_text("utf-8") for file in (sorted(folder.rglob("*.txt")) if whole else [path])]
    assert (rows.encoded == fitted.encode(texts)).all()
    assert [remark.id for remark in rows.remarks] == ([] if whole else ["ship.file-is-one-text"])
    assert rows.places == [str(file.relative_to(folder)) for file in sorted(folder.rglob("*.txt"))] if whole else [""]
    assert (rows.targets is not None) == whole


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    folder = written(tmp_path / "t", WORDS, 3)
    for number in range(2):
        (folder / "好评" / f"{number}.txt").write_text(" \n")
    with pytest.raises(UserError, match=r"0\.txt[\s\S]*1\.txt"):
        danlu.load(folder)
    with pytest.raises(UserError, match="texts"):
        danlu.load(written(tmp_path / "one", {"only": "class"}))
    with pytest.raises(UserError, match="target"):
        danlu.load(folder, target="y")
