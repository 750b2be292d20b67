"""What lies in a folder is read, or told, or refused: no picture, class or part vanishes."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.folder import load as folder_load
from danlu.data.folder import store


def notes(path: Path) -> dict[str, dict[str, Any]]:
    return {note.id: note.values for note in load(path).notes}


@pytest.fixture
def parted(pictures: Path, tmp_path: Path) -> Path:
    """Two classes in each of the folders train, val and test, all of other files."""
    for number, part in enumerate(("train", "val", "test")):
        shutil.copytree(pictures, tmp_path / "parted" / part)
        for path in (tmp_path / "parted" / part).glob("*/*.png"):
            path.write_bytes(path.read_bytes() + bytes([number]))
    return tmp_path / "parted"


@pytest.mark.parametrize("name", ["valid", "validation", "Val"])
def test_two_folders_for_one_part_are_refused(parted: Path, name: str, language: str) -> None:
    shutil.copytree(parted / "val", parted / name)
    words = {"en": "both mean the validation part", "zh": "都表示验证集"}
    with pytest.raises(UserError, match=words[language]):
        load(parted)


def test_pictures_that_danlu_made_are_no_data(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(pictures, tmp_path / "mine")
    before = load(tmp_path / "mine")
    run = tmp_path / "mine" / "runs" / "first"
    shutil.copytree(pictures, run)
    (run / "journal.jsonl").touch()
    monkeypatch.chdir(tmp_path / "mine")
    here = load(".")
    assert (here.classes, here.sizes, here.name) == (before.classes, before.sizes, "mine")


def test_folders_beside_the_parts_are_told(parted: Path) -> None:
    assert "data.folders-beside" not in notes(parted)
    (parted / "extra" / "cat").mkdir(parents=True)
    assert notes(parted)["data.folders-beside"]["names"] == "extra"


def test_pictures_without_a_class_are_told(pictures: Path) -> None:
    shutil.copy(pictures / "cat" / "0.png", pictures / "loose.png")
    assert notes(pictures)["data.loose-pictures"]["count"] == 1


def test_a_test_part_without_classes_is_told(parted: Path) -> None:
    for number, path in enumerate((parted / "test").glob("*/*.png")):
        path.rename(parted / "test" / f"{number}.png")
    assert notes(parted)["data.loose-pictures"] == {"path": parted / "test", "count": 20}


def test_a_class_of_pictures_that_are_not_read_is_refused(pictures: Path, language: str) -> None:
    (pictures / "bird").mkdir()
    (pictures / "bird" / "1.HEIC").touch()
    words = {
        "en": r"bird: none of its images can be read \(.heic × 1\)",
        "zh": r"bird：其中的图像都无法读取（.heic × 1）",
    }
    with pytest.raises(UserError, match=words[language]):
        load(pictures)


def test_what_is_no_file_is_told_and_not_waited_for(pictures: Path) -> None:
    os.mkfifo(pictures / "cat" / "pipe.png")
    (pictures / "cat" / "gone.png").symlink_to(pictures / "nothing.png")
    (pictures / "cat" / "round").symlink_to(pictures, target_is_directory=True)
    (pictures / "dog" / "labels.xml").touch()
    found = notes(pictures)["data.other-files"]
    assert (found["count"], found["endings"]) == (3, ".png × 2, .xml × 1")
    assert found["first"] == pictures / "cat" / "gone.png"


@pytest.mark.parametrize("held", [True, False], ids=["held", "streamed"])
def test_a_picture_of_two_classes_is_told(pictures: Path, held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_load, "HELD_BYTES", 2**30 if held else 100)
    assert "data.same-picture-two-classes" not in notes(pictures)
    shutil.copy(pictures / "cat" / "0.png", pictures / "dog" / "copy.png")
    told = {"count": 1, "first": os.path.join("cat", "0.png"), "second": os.path.join("dog", "copy.png")}
    assert notes(pictures)["data.same-picture-two-classes"] == told
    assert notes(pictures)["data.same-picture-two-classes"] == told  # from the cache


@pytest.mark.parametrize("held", [True, False], ids=["held", "streamed"])
def test_a_picture_of_two_parts_is_told(parted: Path, held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not held:
        for path in (parted / "test").glob("*/*.png"):  # of other bytes and the same pixels before
            path.write_bytes((parted / "train" / path.parent.name / path.name).read_bytes())
    monkeypatch.setattr(folder_load, "HELD_BYTES", 2**30 if held else 100)
    told = notes(parted)["data.shared-rows"]
    assert (told["part"], told["count"], told["total"]) == ("test", 20, 20)


def test_kept_bytes_that_have_changed_are_not_believed(pictures: Path, cache: Path) -> None:
    first = load(pictures).fingerprint()
    (kept,) = (cache / "pictures").glob(f"*/*/{store.PIXELS}")
    pixels = bytearray(kept.read_bytes())
    pixels[::7] = bytes(255 - value for value in pixels[::7])
    kept.write_bytes(pixels)
    assert load(pictures).fingerprint() == first
