"""Masks and tags: what they mean, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import danlu
from danlu.base.ignored import IGNORED
from danlu.data.place_labels import PixelLabels, read_masks

SIDE = 6


def images(count: int = 12) -> Any:
    return numpy.random.default_rng(0).integers(0, 255, (count, SIDE, SIDE), dtype=numpy.uint8)


def masks(count: int = 12, classes: int = 3) -> Any:
    return numpy.random.default_rng(1).integers(0, classes, (count, SIDE, SIDE))


@pytest.mark.parametrize(
    ("values", "classes", "left_out"),
    [
        ([0, 1, 2], (0, 1, 2), ()),
        ([0, 255], (0, 255), ()),
        ([0, 1, 255], (0, 1), (255,)),
        ([-1, 0, 4], (0, 4), (-1,)),
        ([True, False], (False, True), ()),
    ],
)
def test_the_distinct_values_are_the_classes(values: Any, classes: Any, left_out: Any) -> None:
    raw = numpy.array([[values, values]])
    y, target = read_masks(raw, "y")
    assert (target.values, target.left_out) == (classes, left_out)
    assert target.decode(y.clamp(min=0))[y.numpy() >= 0].tolist() == [value for value in values if value in classes] * 2
    assert int((y == IGNORED).sum()) == 2 * len(left_out)


def test_names_make_classes_of_all_they_name() -> None:
    _, target = read_masks(numpy.array([[[0, 2, 255]]]), "y", ("a", "b", "c"))
    assert target.values == (0, 1, 2) and target.names == ("a", "b", "c") and target.left_out == (255,)


def test_unknown_values_have_no_class() -> None:
    assert PixelLabels((False, True)).encode(numpy.array([[[0, 1, 2]]])).tolist() == [[[0, 1, IGNORED]]]


def test_arrays_are_taken_for_masks_beside_pictures_only() -> None:
    assert danlu.load((images(), masks())).task == "segmentation"
    assert danlu.load((images()[:, None].repeat(3, 1), masks() > 0)).classes == ("False", "True")
    assert danlu.load((images() / 255.0, masks().astype(float)), task="segmentation").sample_shape == (1, SIDE, SIDE)
    resized = danlu.load((images(), masks()), image_size=3)
    x, y = next(iter(resized.batches("train", 2, device=torch.device("cpu"))))
    assert x.shape == (2, 1, 3, 3) and y.shape == (2, 3, 3)
    assert resized.class_counts() is not None


def save(folder: Path, name: str, array: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numpy.asarray(array, dtype=numpy.uint8)).save(path)


def laid_out(folder: Path, pictures: str = "images", labels: str = "masks", count: int = 8, **named: str) -> Path:
    x, y = images(count), masks(count)
    for row in range(count):
        save(folder / pictures, f"{row}.png", x[row])
        save(folder / labels, f"{row}{named.get('behind', '')}.png", y[row])
    return folder


@pytest.mark.parametrize(
    ("pictures", "labels"),
    [
        ("images", "masks"),
        ("Images", "Labels"),
        ("imgs", "annotations"),
        ("图像", "标注"),
        ("train/images", "train/masks"),
    ],
)
def test_folders_of_pictures_and_masks_are_found(tmp_path: Path, pictures: str, labels: str) -> None:
    data = danlu.load(laid_out(tmp_path, pictures, labels))
    assert data.task == "segmentation" and data.classes == ("0", "1", "2")
    assert sum(data.sizes.values()) == 8


def test_parts_stand_above_or_below_and_masks_may_have_a_word_behind(tmp_path: Path) -> None:
    for part, count in (("train", 8), ("val", 3), ("test", 2)):
        laid_out(tmp_path / "above" / part, count=count, behind="_mask")
        laid_out(tmp_path / "below", f"images/{part}", f"masks/{part}", count=count)
    for layout in ("above", "below"):
        assert danlu.load(tmp_path / layout).sizes == {"train": 8, "validation": 3, "test": 2}


def test_pictures_of_other_sizes_are_squeezed_with_their_masks(tmp_path: Path) -> None:
    laid_out(tmp_path)
    wide = numpy.zeros((4, 12))
    wide[:, 6:] = 1
    save(tmp_path, "images/wide.png", wide * 200)
    save(tmp_path, "masks/wide.png", wide)
    data = danlu.load(tmp_path, test=0, validation=0.1)
    assert data.sample_shape == (1, SIDE, SIDE) and "9" not in str(data.notes[0])
    found = [y for _, y in data.batches("train", 20, device=torch.device("cpu"))]
    halves = torch.cat([torch.zeros(SIDE, 3), torch.ones(SIDE, 3)], 1).long()
    held = [y for _, y in data.batches("validation", 20, device=torch.device("cpu"))]
    assert any(torch.equal(mask, halves) for batch in (*found, *held) for mask in batch)


def colour(folder: Path) -> Any:
    save(laid_out(folder), "masks/0.png", numpy.random.default_rng(2).integers(0, 255, (SIDE, SIDE, 3)))
    return folder


def lacking(folder: Path) -> Any:
    (laid_out(folder) / "masks" / "3.png").unlink()
    return folder


def other_size(folder: Path) -> Any:
    save(laid_out(folder), "masks/2.png", numpy.zeros((SIDE, SIDE + 1)))
    return folder


def lossy(folder: Path) -> Any:
    save(laid_out(folder), "masks/0.jpg", numpy.zeros((SIDE, SIDE)))
    (folder / "masks" / "0.png").unlink()
    return folder


def named_too_few(folder: Path) -> Any:
    (laid_out(folder) / "classes.txt").write_text("a\nb\n", encoding="utf-8")
    return folder


def named_twice(folder: Path) -> Any:
    (laid_out(folder) / "classes.txt").write_text("a\na\nb\n", encoding="utf-8")
    return folder


def for_two(folder: Path) -> Any:
    save(laid_out(folder), "images/1.bmp", numpy.zeros((SIDE, SIDE)))
    return folder


def class_folders(folder: Path) -> Any:
    return laid_out(folder, "cats", "dogs")


MISTAKES: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str, str]] = {
    "sides": (lambda _: (images(), masks()[:, :4]), {}, "sides of their images", "边长必须与图像相同"),
    "fractions": (lambda _: (images(), masks() / 2), {"task": "segmentation"}, "whole numbers", "整数"),
    "negative": (lambda _: (images(), masks() - 7), {}, "-7", "-7"),
    "too-many": (lambda _: (images(), numpy.arange(432).reshape(12, 6, 6)), {}, "432 different", "432 种值"),
    "one-class": (lambda _: (images(), masks() * 0), {}, "one class only", "只有一个类别"),
    "rotation": (lambda _: (images(), masks()), {"augment": ["rotation:10"]}, "rotation:10", "rotation:10"),
    "colour": (colour, {}, "color image (RGB)", "彩色图像"),
    "lacking": (lacking, {}, "images/3.png", "images/3.png"),
    "other-size": (other_size, {}, "7×6", "7×6"),
    "lossy": (lossy, {}, "masks/0.jpg", "masks/0.jpg"),
    "named-too-few": (named_too_few, {}, "names 2 classes", "只列出 2 个类别"),
    "named-twice": (named_twice, {}, "twice", "两次"),
    "for-two": (for_two, {}, "share their name", "同名"),
    "class-folders": (class_folders, {"task": "segmentation"}, "images and masks", "images 和 masks"),
    "task": (laid_out, {"task": "classification"}, "auto, segmentation", "auto, segmentation"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told(mistake: str, tmp_path: Path, language: str) -> None:
    make, options, english, chinese = MISTAKES[mistake]
    source = make(tmp_path)
    with pytest.raises(danlu.UserError, match=re.escape(english if language == "en" else chinese)):
        danlu.load(source, **options)


def test_what_is_odd_is_told_and_left_out(tmp_path: Path) -> None:
    save(laid_out(tmp_path), "masks/lonely.png", numpy.zeros((SIDE, SIDE)))
    assert "lonely.png" in str(danlu.load(tmp_path))
