"""Pictures and masks as COCO annotates them: polygons, run lengths, crowds; and files that are wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest

import danlu
from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.folder.coco.regions import region
from danlu.data.memory import MemoryDataset
from danlu.data.place_labels import IGNORED

HEIGHT, WIDTH = 8, 10
SQUARE = [2, 1, 6, 1, 6, 5, 2, 5]  # columns 2 to 5, rows 1 to 4


def packed(runs: list[int]) -> str:
    """Run lengths as pycocotools packs them (maskApi.c, rleToString)."""
    text = ""
    for place, run in enumerate(runs):
        value = run - (runs[place - 2] if place > 2 else 0)
        while True:
            sign, value = value & 31, value >> 5
            more = value != -1 if sign & 16 else value != 0
            text += chr((sign | (32 if more else 0)) + 48)
            if not more:
                break
    return text


def runs_of(mask: "numpy.ndarray[Any, Any]") -> list[int]:
    flat, runs, value = mask.T.flatten().tolist(), [0], False
    for pixel in flat:
        if bool(pixel) != value:
            value = not value
            runs.append(0)
        runs[-1] += 1
    return runs


def annotations(pictures: int = 12) -> dict[str, Any]:
    """Picture i has a square of category 3 or 7 in turn, picture 0 a small one within it and a crowd as well."""
    images = [{"id": i, "file_name": f"{i}.png", "height": HEIGHT, "width": WIDTH} for i in range(pictures)]
    regions: list[dict[str, Any]] = [
        {"id": 100 + i, "image_id": i, "category_id": (3, 7)[i % 2], "segmentation": [SQUARE], "iscrowd": 0}
        for i in range(pictures)
    ]
    crowd = numpy.zeros((HEIGHT, WIDTH), dtype=bool)
    crowd[4:7, 2:9] = True
    small = {"id": 200, "image_id": 0, "category_id": 7, "segmentation": [[3, 2, 5, 2, 5, 4, 3, 4]], "iscrowd": 0}
    many = {"counts": packed(runs_of(crowd)), "size": [HEIGHT, WIDTH]}
    # The smaller one stands first: it must lie on top all the same.
    regions = [small, {"id": 201, "image_id": 0, "category_id": 3, "segmentation": many, "iscrowd": 1}, *regions]
    return {
        "images": images,
        "annotations": regions,
        "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}],
    }


def coco(folder: Path, content: dict[str, Any], file: str = "annotations.json", images: str = "images") -> Path:
    for entry in content["images"]:
        (folder / images).mkdir(parents=True, exist_ok=True)
        pixels = numpy.full((HEIGHT, WIDTH, 3), 20, dtype=numpy.uint8)
        pixels[1:5, 2:6] = (200, 90, 40) if entry["id"] % 2 else (40, 90, 200)
        PIL.Image.fromarray(pixels).save(folder / images / str(entry["file_name"]))
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(json.dumps(content), encoding="utf-8")
    return folder


def whole(data: danlu.Dataset) -> "numpy.ndarray[Any, Any]":
    """The masks in the order of the files."""
    assert isinstance(data, MemoryDataset)
    assert data.numbers is not None
    return data.y[data.numbers.argsort()].numpy()


def test_regions_become_masks(tmp_path: Path) -> None:
    data = load(coco(tmp_path / "c", annotations()))
    assert (data.task, data.classes) == ("segmentation", ("background", "cat", "dog"))
    masks = whole(data)
    wanted = numpy.zeros((HEIGHT, WIDTH), dtype=int)
    wanted[4:7, 2:9] = IGNORED
    wanted[1:5, 2:6] = 1
    wanted[2:4, 3:5] = 2
    assert masks[0].tolist() == wanted.tolist()
    assert set(masks[1].flatten().tolist()) == {0, 2}
    told = "\n".join(map(str, data.notes))
    assert "the smaller one is on top" in told
    assert "1 annotations are of crowds" in told


@pytest.mark.parametrize("seed", range(8))
def test_three_ways_to_write_a_region_are_one(seed: int) -> None:
    generator = numpy.random.default_rng(seed)
    top, left = generator.integers(0, 3, 2).tolist()
    bottom, right = top + 1 + int(generator.integers(5)), left + 1 + int(generator.integers(6))
    inside = numpy.zeros((HEIGHT, WIDTH), dtype=bool)
    inside[top:bottom, left:right] = True
    runs = runs_of(inside)
    ways: list[Any] = [
        [[left, top, right, top, right, bottom, left, bottom]],
        {"counts": runs, "size": [HEIGHT, WIDTH]},
        {"counts": packed(runs), "size": [HEIGHT, WIDTH]},
    ]
    for way in ways:
        assert (region(way, HEIGHT, WIDTH) == inside).all()


def test_packed_run_lengths_of_large_pictures() -> None:
    mask = numpy.random.default_rng(0).random((300, 400)) > 0.5
    mask[:, 100:300] = False
    found = region({"counts": packed(runs_of(mask)), "size": [300, 400]}, 300, 400)
    assert (found == mask).all()


def test_a_slanted_polygon_and_one_of_two_pieces() -> None:
    triangle = region([[0, 0, 4, 0, 0, 4]], 4, 4)
    assert triangle.astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    pieces = region([[0, 0, 1, 0, 1, 1, 0, 1], [2, 0, 9, 0, 9, 1, 2, 1]], 1, 4)  # the second leaves the picture
    assert pieces.astype(int).tolist() == [[1, 0, 1, 1]]


LAYOUTS: dict[str, Callable[[Path], object]] = {
    "of COCO": lambda folder: [
        coco(folder, annotations(8), "annotations/instances_train2017.json", "train2017"),
        coco(folder, annotations(4), "annotations/instances_val2017.json", "val2017"),
    ],
    "with pictures in one folder": lambda folder: [
        coco(folder, annotations(8), "annotations/instances_train.json"),
        coco(folder, annotations(4), "annotations/instances_val.json"),
    ],
    "of Roboflow": lambda folder: [
        coco(folder / "train", annotations(8), "_annotations.coco.json", "."),
        coco(folder / "valid", annotations(4), "_annotations.coco.json", "."),
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parts(layout: str, tmp_path: Path) -> None:
    LAYOUTS[layout](tmp_path / "c")
    data = load(tmp_path / "c")
    assert data.sizes["validation"] == 4
    assert data.sizes["train"] + data.sizes["test"] == 8


def test_a_picture_without_annotations_is_all_background(tmp_path: Path) -> None:
    content = annotations()
    content["annotations"] = [one for one in content["annotations"] if one["image_id"] != 5]
    data = load(coco(tmp_path / "c", content))
    assert not whole(data)[5].any()
    assert any("1 images have no annotation" in str(note) for note in data.notes)


def test_a_category_called_background_is_the_ground(tmp_path: Path) -> None:
    content = annotations()
    content["categories"].append({"id": 0, "name": "Background"})
    assert load(coco(tmp_path / "c", content)).classes == ("Background", "cat", "dog")


def changed(**keys: Any) -> Callable[[dict[str, Any]], None]:
    """Changes the annotation 101."""
    return lambda content: next(one for one in content["annotations"] if one["id"] == 101).update(keys)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "no categories": (lambda c: c.pop("categories"), '"categories" as a list', '"categories" 必须是对象列表'),
    "images no list": (lambda c: c.update(images={"a": 1}), '"images" as a list', '"images" 必须是对象列表'),
    "a category twice": (lambda c: c["categories"].append({"id": 3, "name": "cow"}), "that no other has", "不能重复"),
    "a name twice": (lambda c: c["categories"].append({"id": 4, "name": "dog"}), "that no other has", "不能重复"),
    "no height": (lambda c: c["images"][2].pop("height"), '"height" and "width" in pixels', '"height" 和 "width"'),
    "another category": (
        changed(category_id=9),
        'annotation 101 has "category_id" 9',
        '标注 101 的 "category_id" 为 9',
    ),
    "another image": (changed(image_id="x"), 'annotation 101 has "image_id" x', '标注 101 的 "image_id" 为 x'),
    "an image as a list": (changed(image_id=[1]), 'annotation 101 has "image_id" [1]', '标注 101 的 "image_id"'),
    "a box only": (changed(segmentation=[]), "only a box at most", "最多只有边界框"),
    "two corners": (changed(segmentation=[[1, 1, 2, 2]]), "at least three corners", "至少三个顶点"),
    "an odd corner": (changed(segmentation=[[1, 1, 2, 2, 3, 3, 4]]), "at least three corners", "至少三个顶点"),
    "words": (changed(segmentation=[[1, 1, 2, "a", 3, 3]]), "finite numbers", "有限的数"),
    "no region": (changed(segmentation="oops"), "a list of polygons", "多边形列表"),
    "of another size": (changed(segmentation={"counts": [80], "size": [10, 8]}), "[10, 8] (height", "[10, 8]（高"),
    "too few runs": (changed(segmentation={"counts": [7], "size": [8, 10]}), "7 pixels", "共 7 个像素"),
    "negative runs": (changed(segmentation={"counts": [-1, 81], "size": [8, 10]}), "whole numbers", "非负整数"),
    "broken off": (changed(segmentation={"counts": "Z", "size": [8, 10]}), "whole numbers", "非负整数"),
    "strange signs": (changed(segmentation={"counts": "é!", "size": [8, 10]}), "whole numbers", "非负整数"),
    "another size": (lambda c: c["images"][1].update(height=9), "the mask is 10×9 pixels", "掩码是 10×9 像素"),
}


@pytest.mark.every(2)
@pytest.mark.parametrize("why", WRONG)
def test_what_is_wrong_is_told(why: str, tmp_path: Path, language: str) -> None:
    change, english, chinese = WRONG[why]
    content = annotations()
    folder = coco(tmp_path / "c", content)
    change(content)
    (folder / "annotations.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(english if language == "en" else chinese)):
        load(folder)


def test_files_that_are_wrong(tmp_path: Path) -> None:
    folder = coco(tmp_path / "c", annotations())
    (folder / "images" / "3.png").unlink()
    with pytest.raises(UserError, match="1 of its images were not found: 3.png"):
        load(folder)
    (folder / "annotations.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="not JSON"):
        load(folder)
    other = annotations(4)
    other["categories"][0]["name"] = "wolf"
    parts = coco(tmp_path / "p", annotations(8), "annotations/instances_train.json")
    coco(parts, other, "annotations/instances_val.json")
    with pytest.raises(UserError, match="other categories than in"):
        load(parts)


def test_another_annotations_json_is_left_alone(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "c" / label).mkdir(parents=True)
        for number in range(10):
            pixels = numpy.full((8, 8), number, dtype=numpy.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "c" / label / f"{number}.png")
    (tmp_path / "c" / "annotations.json").write_text('{"author": "me"}', encoding="utf-8")
    assert load(tmp_path / "c").task == "classification"


def test_a_run_learns_and_answers_such_a_folder(tmp_path: Path) -> None:
    folder = coco(tmp_path / "c", annotations())
    run = danlu.fit(data=folder, epochs=1, width=4, folder=tmp_path / "run", progress=False)
    assert run.recipe.net.name == "unet"
    assert run.evaluate(folder)["miou"] >= 0
    assert danlu.resume(run.folder).score == run.score
