"""A folder of pictures by class: found, decoded once, kept, streamed where it does not fit."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import Dataset, load
from danlu.data.folder import decode_all, scan, store
from danlu.data.folder import load as folder_load

CPU = torch.device("cpu")


def brightness(data: Dataset, part: str = "train", **how: Any) -> list[int]:
    """Of the first pixel of each picture, as it was in the file."""
    batches = [x for x, _ in data.batches(part, 7, device=CPU, **how)]
    return [round(float(value) * 255) for x in batches for value in x[:, 0, 0, 0]]


def test_subfolders_are_classes(pictures: Path) -> None:
    data = load(pictures, standardise=False)
    assert (data.name, data.classes, data.sample_shape, data.notes) == ("pictures", ("cat", "dog"), (3, 8, 8), ())
    assert data.sizes == {"train": 14, "validation": 2, "test": 4}
    assert sorted(value for part in data.sizes for value in brightness(data, part)) == [
        *range(10, 20),
        *range(200, 210),
    ]
    x, y = next(data.batches("train", 14, device=CPU))
    assert torch.equal(y, (x[:, 0, 0, 0] > 0.5).long())
    assert data.recipe is not None
    assert data.recipe.path == str(pictures)


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "valid", "testing")])
def test_folders_called_train_val_and_test_are_parts(pictures: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "parted"
    for part in names:
        shutil.copytree(pictures, folder / part)
    for number in range(4):
        (folder / names[1] / "cat" / f"{number}.png").unlink()
    assert load(folder).sizes == {"train": 20, "validation": 16, "test": 20}
    shutil.rmtree(folder / names[1])
    assert load(folder).sizes == {"train": 18, "validation": 2, "test": 20}


def test_a_class_that_only_the_test_part_has_is_refused(pictures: Path, tmp_path: Path, language: str) -> None:
    for part in ("train", "test"):
        shutil.copytree(pictures, tmp_path / "parted" / part)
    (tmp_path / "parted" / "test" / "dog").rename(tmp_path / "parted" / "test" / "wolf")
    words = {"en": "the test part has classes that the training part lacks: wolf", "zh": "训练集中没有的类别：wolf"}
    with pytest.raises(UserError, match=words[language]):
        load(tmp_path / "parted")


def test_pictures_are_decoded_once(pictures: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    first = load(pictures)
    monkeypatch.setattr(decode_all, "read_pixels", None)
    monkeypatch.setattr(decode_all, "read_head", None)
    again = load(pictures)
    assert again.fingerprint() == first.fingerprint()
    assert again.notes == first.notes
    assert len(list((cache / "pictures").glob("*/*"))) == 1


def test_a_change_is_seen_and_the_old_bytes_go(pictures: Path, cache: Path, save: Any) -> None:
    before = load(pictures).fingerprint()
    save("dog/3.png", (90, 90, 90))
    changed = load(pictures, standardise=False)
    assert changed.fingerprint() != before
    assert any(90 in brightness(changed, part) for part in changed.sizes)
    assert len(list((cache / "pictures").glob("*/*"))) == 1
    assert load(pictures, image_size=4).sample_shape == (3, 4, 4)


def test_bytes_that_are_not_whole_are_not_believed(pictures: Path, cache: Path) -> None:
    first = load(pictures).fingerprint()
    (kept,) = (cache / "pictures").glob(f"*/*/{store.PIXELS}")
    os.truncate(kept, 100)
    assert load(pictures).fingerprint() == first


def test_a_disk_that_refuses_costs_only_time(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(pictures).fingerprint()

    def refuse(*_: object) -> None:
        raise store.StorageError

    shutil.rmtree(store.cache_folder())
    monkeypatch.setattr(store, "put_folder", refuse)
    assert load(pictures).fingerprint() == first
    assert not store.cache_folder().exists()


def test_different_sizes_are_brought_to_the_most_frequent_one(pictures: Path, save: Any) -> None:
    save("cat/wide.png", (30, 30, 30), size=(40, 10))
    data = load(pictures)
    assert data.sample_shape == (3, 8, 8)
    (note,) = data.notes
    assert (note.id, note.values["count"], note.values["sizes"]) == ("data.resized", 1, 2)


def test_large_pictures_are_brought_to_224(save: Any, tmp_path: Path) -> None:
    for number in range(4):
        save(f"{number % 2}/{number}.jpg", (99, 99, 99), size=(448, 300))
    assert load(tmp_path / "pictures", validation=0, test=0).sample_shape == (3, 150, 224)


def test_pictures_are_turned_upright(save: Any, tmp_path: Path) -> None:
    marked = numpy.zeros((16, 24, 3), numpy.uint8)
    marked[:, :12] = 250
    for number in range(4):
        exif = PIL.Image.Exif()
        exif[0x0112] = 6  # the camera was held on its side: what is on the left belongs on top
        save(f"{number % 2}/{number}.png", marked, exif=exif)
    data = load(tmp_path / "pictures", validation=0, test=0, standardise=False)
    assert data.sample_shape == (3, 24, 16)
    x, _ = next(data.batches("train", 4, device=CPU))
    assert (x[:, :, :12] > 0.9).all()
    assert (x[:, :, 12:] < 0.1).all()


@pytest.mark.parametrize(("grey", "channels", "note"), [(3, 1, "taken-as-grey"), (1, 3, "taken-as-colour")])
def test_the_majority_decides_between_grey_and_colour(
    save: Any, tmp_path: Path, grey: int, channels: int, note: str
) -> None:
    for number in range(4):
        mode, colour = ("L", 60) if number < grey else ("RGB", (60, 60, 60))
        save(f"{number % 2}/{number}.png", colour, mode=mode)
    data = load(tmp_path / "pictures", validation=0, test=0, standardise=False)
    assert data.sample_shape == (channels, 8, 8)
    assert note in [each.id.removeprefix("data.") for each in data.notes]
    assert set(brightness(data)) == {60}


def test_transparency_is_told(save: Any, tmp_path: Path) -> None:
    for number in range(4):
        save(f"{number % 2}/{number}.png", 3)
    save("0/clear.png", (60, 60, 60, 0), mode="RGBA")
    assert "data.transparency-dropped" in [each.id for each in load(tmp_path / "pictures").notes]


def test_numbers_as_names_are_sorted_by_value_and_other_files_told(save: Any, tmp_path: Path) -> None:
    for name in ("10", "9", "b", "a"):
        save(f"{name}/{name}.png", 3)
    (tmp_path / "pictures" / "a" / "notes.md").touch()
    (tmp_path / "pictures" / ".hidden").mkdir()
    data = load(tmp_path / "pictures", validation=0, test=0)
    assert data.classes == ("9", "10", "a", "b")
    assert "data.other-files" in [each.id for each in data.notes]


def test_all_files_that_are_no_pictures_are_told_at_once(pictures: Path, language: str) -> None:
    (pictures / "cat" / "0.png").write_bytes(b"no picture")
    whole = (pictures / "cat" / "1.png").read_bytes()
    (pictures / "cat" / "1.png").write_bytes(whole[: len(whole) // 2 + 5])
    (pictures / "dog" / "2.jpg").write_bytes(b"")
    with pytest.raises(UserError, match={"en": "not a JPEG, PNG", "zh": "不是 JPEG、PNG"}[language]) as caught:
        load(pictures)
    assert len(caught.value.faults) == 3
    for name in ("cat/0.png", "cat/1.png", "dog/2.jpg"):
        assert name in str(caught.value)
    (pictures / "cat" / "0.png").unlink()
    (pictures / "dog" / "2.jpg").unlink()
    with pytest.raises(UserError, match={"en": r"1.png: the image is cut off", "zh": r"1.png：图像不完整"}[language]):
        load(pictures)


def test_no_more_than_ten_are_named(save: Any, tmp_path: Path, language: str) -> None:
    for number in range(25):
        save(f"{number % 2}/{number}.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(UserError, match={"en": "and 15 more files", "zh": "另有 15 个"}[language]) as caught:
        load(tmp_path / "pictures")
    assert len(caught.value.faults) == 11


@pytest.mark.every(4)
@pytest.mark.parametrize("side", [14_200, 10_000])
@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_not_unfolded(pictures: Path, language: str, side: int) -> None:
    bomb = pictures / "cat" / "bomb.png"
    PIL.Image.new("1", (side, side)).save(bomb)
    words = {"en": r"bomb.png: the image has more than 89 million pixels", "zh": r"bomb.png：图像超过 89 百万像素"}
    with pytest.raises(UserError, match=words[language]):
        load(pictures)


def test_folders_that_cannot_be_read_are_all_told(
    pictures: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refuse(path: Path | int) -> Any:  # a number is a folder that is open already: pytest clears its own away
        if not isinstance(path, int) and Path(path).name in ("cat", "dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(scan.os, "scandir", refuse)
    words = {"en": r"cat: cannot be read \(Permission denied\)", "zh": r"cat：无法读取（Permission denied）"}
    with pytest.raises(UserError, match=words[language]) as caught:
        load(pictures)
    assert len(caught.value.faults) == 2


def test_a_file_that_cannot_be_read_is_told(pictures: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(PIL.Image, "open", refuse)
    words = {"en": r"0.png: cannot be read \(Permission denied\)", "zh": r"0.png：无法读取（Permission denied）"}
    with pytest.raises(UserError, match=words[language]):
        load(pictures)


def test_pictures_without_class_folders_are_refused(pictures: Path, language: str) -> None:
    words = {"en": "needs a folder for each class.*Found with images: -; lying loose: 10", "zh": "散放的图像：10 张"}
    with pytest.raises(UserError, match=words[language]):
        load(pictures / "cat")
    shutil.rmtree(pictures / "cat")
    with pytest.raises(UserError, match={"en": "Found with images: dog", "zh": "有图像的子文件夹：dog"}[language]):
        load(pictures)


@pytest.fixture
def streamed(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder taken for one that does not fit into memory."""
    monkeypatch.setattr(folder_load, "HELD_BYTES", 100)
    return pictures


def test_what_does_not_fit_is_streamed_with_the_same_split_and_order(
    streamed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load(streamed, standardise=False)
    assert data.facts()["streamed"]
    assert [note.id for note in data.notes] == ["data.streamed"]
    monkeypatch.setattr(folder_load, "HELD_BYTES", 2**30)
    held = load(streamed, standardise=False)
    assert held.sizes == data.sizes
    for part in data.sizes:
        assert brightness(data, part) == brightness(held, part)
    how = {"seed": 3, "epoch": 2, "shuffle": True}
    assert brightness(data, **how) == brightness(held, **how)
    assert brightness(data, start=1, **how) == brightness(held, **how)[7:]


def test_streamed_pictures_are_augmented_as_those_in_memory(streamed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"standardise": False, "augment": ["crop:2", "flip"]}
    how: dict[str, Any] = {"seed": 3, "shuffle": True, "augment": True, "device": CPU}
    data = load(streamed, **options)
    monkeypatch.setattr(folder_load, "HELD_BYTES", 2**30)
    held = load(streamed, **options)
    for (x, y), (same_x, same_y) in zip(data.batches("train", 5, **how), held.batches("train", 5, **how), strict=True):
        assert torch.equal(x, same_x)
        assert torch.equal(y, same_y)


def test_a_streamed_picture_that_went_bad_is_named(streamed: Path, language: str) -> None:
    data = load(streamed)
    for path in streamed.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:45])
    with pytest.raises(UserError, match={"en": "cut off or damaged", "zh": "不完整或已损坏"}[language]):
        next(data.batches("train", 4, device=CPU))


def test_streamed_pictures_go_through_a_users_own_transforms(streamed: Path) -> None:
    data = load(streamed, standardise=False, augment=lambda picture: picture.point(lambda value: 255 - value))
    assert sorted(brightness(data, augment=True)) == sorted(255 - value for value in brightness(data))


def test_pictures_have_no_columns(pictures: Path, language: str) -> None:
    words = {"en": "images have no columns for group or time", "zh": "图像没有列"}
    with pytest.raises(UserError, match=words[language]):
        load(pictures, group="patient")
