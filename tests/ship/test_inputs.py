"""Files become what the net was trained on: the same rows give the same answers from a file as from memory."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.data.plain import to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.ship import Rows, read_rows
from danlu.ship.export.files import read_file_rows
from danlu.ship.export.interface import Interface

TABLE = "size,kind,late,grade\n" + "".join(
    f"{1 + row % 9},{'abc'[row % 3]},{row % 4},{'pass' if row % 9 > 4 else 'fail'}\n" for row in range(90)
)


def read(path: Path, data: Any, target: str | None = None) -> list[Rows]:
    return list(read_rows(path, Preprocessing.of(data), target, FileOptions()))


@pytest.fixture
def grades(tmp_path: Path) -> Any:
    (tmp_path / "train.csv").write_text(TABLE, encoding="utf-8")
    return danlu.load(tmp_path / "train.csv", target="grade")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new.csv"


def test_rows_of_a_table_are_encoded_as_those_of_training(grades: Any, file: Path) -> None:
    file.write_text(TABLE, encoding="utf-8")
    (rows,) = read(file, grades, "grade")
    dicts = [{"size": 1 + row % 9, "kind": "abc"[row % 3], "late": row % 4} for row in range(90)]
    assert torch.equal(rows.encoded, grades.encode(dicts))
    assert rows.places[:2] == ["2", "3"]  # lines of the file
    assert rows.targets is not None
    assert [grades.classes[place] for place in rows.targets[:6].tolist()] == ["fail"] * 4 + ["fail", "pass"]


@pytest.mark.parametrize("order", [("late", "size", "kind"), ("kind", "other", "late", "size")])
def test_columns_may_stand_in_any_order_and_others_beside_them(grades: Any, file: Path, order: Any) -> None:
    file.write_text(",".join(order) + "\n" + ",".join({"kind": "b"}.get(name, "3") for name in order), encoding="utf-8")
    (rows,) = read(file, grades)
    assert torch.equal(rows.encoded, grades.encode([{"size": 3, "kind": "b", "late": 3}]))
    assert rows.targets is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("size,late\n1,2\n", ("kind", "new.csv")),
        ("size,kind,late\nbig,a,2\n", ("size", "big")),
        ("", ("new.csv",)),
        ("size,kind,late\n", ("new.csv",)),
    ],
)
def test_what_the_net_cannot_take_is_named(grades: Any, file: Path, text: str, words: tuple[str, ...]) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words[0]) as refused:
        read(file, grades)
    assert all(word in str(refused.value) for word in words)


def test_unseen_categories_and_labels_are_told_row_by_row(grades: Any, file: Path) -> None:
    file.write_text("size,kind,late,grade\n1,a,2,pass\n2,z,1,expelled\n3,,1,\n", encoding="utf-8")
    (rows,) = read(file, grades, "grade")
    assert rows.notes is not None
    assert list(rows.notes) == [1]
    assert '"z"' in rows.notes[1]
    assert rows.targets is not None
    assert rows.targets.tolist()[1:] == [-1, -1]


def test_targets_of_a_regression_are_those_of_training(file: Path) -> None:
    data = danlu.load({"a": [float(row) for row in range(50)], "y": [3.5 * row for row in range(50)]}, target="y")
    file.write_text("a,y\n1,3.5\n2,7\n3,\n", encoding="utf-8")
    (rows,) = read(file, data, "y")
    assert rows.targets is not None
    assert data.decode(rows.targets)[:2].tolist() == pytest.approx([3.5, 7.0])
    assert rows.targets[2].isnan().all()


def test_a_large_table_comes_in_portions(file: Path, grades: Any) -> None:
    lines = [f"{1 + row % 9},{'abcz'[row % 4]},{row % 4}" for row in range(20_500)]
    file.write_text("\n".join(["size,kind,late", *lines]), encoding="utf-8")
    portions = read(file, grades)
    assert [len(rows.places) for rows in portions] == [10_000, 10_000, 500]
    assert portions[2].places[0] == "20002"
    assert portions[1].notes is not None
    assert 3 in portions[1].notes


def pictures() -> Any:
    draw = numpy.random.default_rng(0)
    images = draw.integers(0, 256, size=(60, 12, 10, 3), dtype=numpy.uint8)
    return danlu.load((images, numpy.arange(60) % 3)), images


def test_a_folder_of_pictures_is_taken_as_the_arrays_were(tmp_path: Path) -> None:
    data, images = pictures()
    folder = tmp_path / "photos" / "deep"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(images[number]).save(folder / f"{number}.png")
    (folder / "notes.md").write_text("not a picture")
    (rows,) = read(tmp_path / "photos", data)
    assert [Path(place).name for place in rows.places] == ["0.png", "1.png", "2.png"]
    assert torch.equal(rows.encoded, data.encode(images[:3]))


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK", "I;16"])
def test_pictures_of_any_size_and_mode_become_what_the_net_takes(tmp_path: Path, mode: str) -> None:
    data, _ = pictures()
    picture = Image.new("L" if mode == "I;16" else "RGB", (33, 21), 200 if mode == "I;16" else (200, 10, 10))
    end = ".jpg" if mode == "CMYK" else ".tif" if mode == "I;16" else ".png"
    picture.convert(mode).save(tmp_path / f"one{end}")
    (rows,) = read(tmp_path / f"one{end}", data)
    assert rows.encoded.shape == (1, 3, 12, 10)


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    data, images = pictures()
    exif = Image.Exif()
    exif[0x0112] = 8  # lies on its side
    Image.fromarray(numpy.rot90(images[0], k=-1).copy()).save(tmp_path / "lying.png", exif=exif)
    (rows,) = read(tmp_path / "lying.png", data)
    assert torch.equal(rows.encoded, data.encode(images[:1]))


def test_arrays_on_the_disk_are_those_in_memory(tmp_path: Path) -> None:
    data, images = pictures()
    numpy.save(tmp_path / "x.npy", images[:5])
    (rows,) = read(tmp_path / "x.npy", data)
    assert torch.equal(rows.encoded, data.encode(images[:5]))
    numpy.save(tmp_path / "objects.npy", numpy.array([{}]), allow_pickle=True)
    with pytest.raises(UserError, match=r"objects\.npy"):
        read(tmp_path / "objects.npy", data)


def test_folders_called_as_the_classes_are_hold_the_right_answers(tmp_path: Path) -> None:
    data, images = pictures()
    for number, place in enumerate(["test/1", "test/0", "2", ""]):
        folder = tmp_path / "photos" / place
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[number]).save(folder / f"{number}.png")
    (rows,) = read(tmp_path / "photos", data)
    (exported,) = read_file_rows(
        tmp_path / "photos", Interface(to_plain(Preprocessing.of(data)), raw=True), FileOptions()
    )
    right = {"test/1/0.png": 1, "test/0/1.png": 0, "2/2.png": 2, "3.png": None}
    wanted = [right[place] for place in rows.places]
    assert rows.targets is not None
    assert rows.targets.tolist() == [-1 if one is None else one for one in wanted]
    assert exported.targets == [None if one is None else str(one) for one in wanted]
    for alone in (tmp_path / "photos" / "2", tmp_path / "photos" / "3.png"):
        (rows,) = read(alone, data)
        assert rows.targets is None


@pytest.mark.parametrize("sample", [(4,), (1, 6, 5), (3, 6, 5)])
def test_one_sample_by_itself_is_one_row(sample: tuple[int, ...], tmp_path: Path) -> None:
    x = numpy.random.default_rng(0).integers(0, 256, size=(40, *sample), dtype=numpy.uint8)
    data = danlu.load((x.astype("float64") if len(sample) == 1 else x, numpy.arange(40) % 2))
    forms = [x[0]] if len(sample) == 1 else [x[0], x[0].transpose(1, 2, 0), *([x[0, 0]] if sample[0] == 1 else [])]
    for form in forms:
        numpy.save(tmp_path / "one.npy", form)
        (rows,) = read(tmp_path / "one.npy", data)
        assert rows.places == ["1"]
        assert torch.equal(rows.encoded, data.encode(x[:1]))


def test_a_net_of_nameless_numbers_takes_as_many_columns(file: Path) -> None:
    draw = numpy.random.default_rng(0)
    data = danlu.load((draw.normal(size=(40, 3)), numpy.arange(40) % 2))
    file.write_text("a,b,c\n1,2,3\n4,5,6\n", encoding="utf-8")
    (rows,) = read(file, data)
    assert torch.equal(rows.encoded, data.encode(numpy.array([[1.0, 2, 3], [4, 5, 6]])))
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match="2"):
        read(file, data)


def test_lines_of_a_text_are_samples_and_blank_ones_are_none(tmp_path: Path) -> None:
    texts = [f"word{row % 7} end" for row in range(40)]
    data = danlu.load((texts, [row % 2 for row in range(40)]))
    (tmp_path / "lines.txt").write_text("word1 end\n\nword2 end\n", encoding="utf-8")
    (rows,) = read(tmp_path / "lines.txt", data)
    assert rows.places == ["1", "3"]
    assert torch.equal(rows.encoded, data.encode(["word1 end", "word2 end"]))


@pytest.mark.parametrize("name", ["absent.csv", "photo.png", "model.pkl"])
def test_files_of_another_kind_are_refused(grades: Any, tmp_path: Path, name: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=name):
        read(tmp_path / name, grades)


def test_rows_reach_a_net_that_counts_them(grades: Any, file: Path) -> None:
    file.write_text(TABLE, encoding="utf-8")
    net = nn.Linear(grades.sample_shape[0], 2)
    (rows,) = read(file, grades)
    assert net(rows.encoded).shape == (90, 2)
