"""Images with several labels each: from COCO's annotations, VOC's files of objects, and tables of paths."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest
import torch

import danlu
from danlu.base.errors import UserError
from danlu.base.words import speaking
from danlu.data import load
from danlu.data.folder import load as folder_load
from danlu.data.memory import MemoryDataset
from danlu.data.raw import raw_samples
from danlu.data.stream import StreamDataset

COUNT = 12
NAMES = ("cat", "dog", "hen")
SQUARE = [2, 1, 6, 1, 6, 5, 2, 5]


def own(number: int) -> list[str]:
    """What is in a picture: nothing, or up to three."""
    return [name for place, name in enumerate(NAMES) if number >> place & 1]


def pictures(folder: Path, ending: str = "png") -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        sides = (10, 14, 3) if number == 5 else (10, 12, 3)  # one is of other proportions
        drawn = numpy.random.default_rng(number).integers(0, 255, sides, dtype=numpy.uint8)
        PIL.Image.fromarray(drawn).save(folder / f"{number}.{ending}")
    return [f"{number}.{ending}" for number in range(COUNT)]


def coco(folder: Path, *, regions: bool = False, **changed: Any) -> Path:
    """Boxes; with `regions` what lies in them too. The numbers of the categories are neither from 0 nor in order."""
    images = [{"id": number, "file_name": name} for number, name in enumerate(pictures(folder / "images"))]
    if regions:
        images = [one | {"height": 10, "width": 14 if one["id"] == 5 else 12} for one in images]
    numbers = {"cat": 3, "dog": 5, "hen": 9}
    found = [
        {"id": 10 * picture + place, "image_id": picture, "category_id": numbers[name], "bbox": [1, 1, 3, 3]}
        for picture in range(COUNT)
        for place, name in enumerate([*own(picture), *own(picture)[:1]])  # the first stands there twice
    ]
    if regions:
        found = [one | {"segmentation": [SQUARE]} for one in found]
    categories = [{"id": number, "name": name} for name, number in reversed(numbers.items())]
    content = {"images": images, "annotations": found, "categories": categories} | changed
    (folder / "annotations.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def voc(folder: Path, lists: dict[str, range] | None = None) -> Path:
    pictures(folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    for number in range(COUNT):
        objects = "".join(f"<object><name> {name} </name><bndbox/></object>" for name in own(number))
        (folder / "Annotations" / f"{number}.xml").write_text(f"<annotation>{objects}</annotation>", encoding="utf-8")
    if lists:
        (folder / "ImageSets" / "Main").mkdir(parents=True)
    for part, numbers in (lists or {}).items():
        (folder / "ImageSets" / "Main" / f"{part}.txt").write_text("\n".join(map(str, numbers)), encoding="utf-8")
    return folder


def listed(folder: Path, separator: str = ";") -> Path:
    names = pictures(folder / "seen")
    cells = [separator.join(own(number)) or separator for number in range(COUNT)]
    lines = [f"seen/{name},{cell}" for name, cell in zip(names, cells, strict=True)]
    (folder / "t.csv").write_text("\n".join(["path,animals", *lines]), encoding="utf-8")
    return folder / "t.csv"


SOURCES: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "COCO's boxes": (coco, {}),
    "COCO's regions, asked for": (lambda folder: coco(folder, regions=True), {"task": "multi-label"}),
    "VOC's objects": (voc, {}),
    "a table": (listed, {}),
    "a table with bars": (lambda folder: listed(folder, "|"), {"task": "multi-label"}),
}


def flags(data: danlu.Dataset) -> list[list[str]]:
    """The labels in the order of the files."""
    assert isinstance(data, MemoryDataset)
    assert data.numbers is not None
    rows = data.y[data.numbers.argsort()]
    return [[name for name, on in zip(data.classes, row, strict=True) if on] for row in rows.tolist()]


@pytest.mark.parametrize("source", SOURCES)
def test_each_image_has_the_labels_of_what_is_in_it(source: str, tmp_path: Path) -> None:
    make, options = SOURCES[source]
    data = load(make(tmp_path / "pictures"), **options)
    assert (data.task, data.classes) == ("multi-label", NAMES)
    # What VOC's folder holds is read by the names of its files, which sort as texts.
    order = sorted(map(str, range(COUNT))) if source == "VOC's objects" else map(str, range(COUNT))
    assert flags(data) == [own(int(number)) for number in order]
    raw = raw_samples(data, "test", [0, 1])
    assert torch.equal(data.encode(raw.samples), next(iter(data.batches("test", 2, device=torch.device("cpu"))))[0])
    assert isinstance(data, MemoryDataset)
    wanted = [[name for name, on in zip(NAMES, row, strict=True) if on] for row in data.y[-2:].tolist()]
    assert raw_samples(data, "test").targets[-2:] == wanted  # type: ignore[index]  # pyright: ignore
    assert any("nothing cut away" in str(note) for note in data.notes)


def test_lists_make_the_parts_and_regions_stay_masks(tmp_path: Path) -> None:
    data = load(voc(tmp_path / "voc", {"train": range(8), "val": range(8, 11)}))
    assert data.sizes["validation"] == 3
    assert any("1 images without a file in Annotations" in str(note) for note in data.notes)
    assert load(coco(tmp_path / "coco", regions=True)).task == "segmentation"


def test_what_does_not_fit_into_memory_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = load(coco(tmp_path / "coco"), image_size=8)
    monkeypatch.setattr(folder_load, "HELD_BYTES", 100)
    monkeypatch.setattr(folder_load, "recall", lambda place: None)  # pyright: ignore[reportUnknownLambdaType]
    data = load(tmp_path / "coco", image_size=8)
    assert isinstance(data, StreamDataset)
    for part in ("train", "test"):
        (ours,) = data.batches(part, COUNT, device=torch.device("cpu"))
        (theirs,) = held.batches(part, COUNT, device=torch.device("cpu"))
        assert torch.equal(ours[1], theirs[1].to(ours[1].dtype))


def test_a_run_learns_labels_and_answers_with_them(tmp_path: Path) -> None:
    place = coco(tmp_path / "coco")
    run = danlu.fit("mlp", place, epochs=1, hidden=[4], folder=tmp_path / "run", progress=False, watch=False)
    assert set(run.score["test"]) > {"loss", "f1"}
    answers = run.predict([place / "images" / "3.png"])
    assert {label for own in answers for label in own} <= {*NAMES}


def _one(folder: Path) -> Path:
    annotations = [{"id": 1, "image_id": 0, "category_id": 3, "bbox": [0, 0, 1, 1]}]
    return coco(folder, annotations=annotations, categories=[{"id": 3, "name": "cat"}])


def _stranger(folder: Path) -> Path:
    return coco(folder, annotations=[{"id": 1, "image_id": 99, "category_id": 3, "bbox": [0, 0, 1, 1]}])


def _gone(folder: Path) -> Path:
    coco(folder)
    (folder / "images" / "3.png").unlink()
    return folder


def _mixed(folder: Path) -> Path:
    annotations = [
        {"id": 1, "image_id": 0, "category_id": 3, "bbox": [0, 0, 1, 1]},
        {"id": 2, "image_id": 1, "category_id": 5, "segmentation": [SQUARE]},
    ]
    sized = [{"id": number, "file_name": f"{number}.png", "height": 10, "width": 12} for number in range(COUNT)]
    return coco(folder, annotations=annotations, images=sized)


def _xml(content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        voc(folder)
        (folder / "Annotations" / "4.xml").write_text(content, encoding="utf-8")
        return folder

    return make


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa">]><annotation><object><name>&a;</name></object></annotation>'
WRONG: dict[str, tuple[Callable[[Path], Path], str]] = {
    "one label alone": (_one, "data.labels-too-few"),
    "an annotation of no image": (_stranger, "data.coco-unknown"),
    "an image that is not there": (_gone, "data.coco-no-picture"),
    "regions and boxes": (_mixed, "data.coco-boxes"),
    "no XML": (_xml("<annotation>"), "data.voc-xml"),
    "entities": (_xml(BOMB), "data.voc-xml"),
    "an object without a name": (_xml("<annotation><object/></annotation>"), "data.voc-no-name"),
    "a list of what is not there": (lambda folder: voc(folder, {"train": range(14)}), "data.voc-lacking"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_both_languages(case: str, tmp_path: Path) -> None:
    make, phrase = WRONG[case]
    with pytest.raises(UserError, match=".") as caught:
        load(make(tmp_path / "pictures"))
    assert phrase in [fault.id for fault in caught.value.faults]
    told: list[str] = []
    for words in ("en", "zh"):
        with speaking(words):
            told.append(str(caught.value))
    assert told[0] != told[1]
