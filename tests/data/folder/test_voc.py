"""Pictures and masks as PASCAL VOC lays them out."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy
import PIL.Image
import pytest

import danlu
from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.memory import MemoryDataset
from danlu.data.place_labels import IGNORED

SIDE, MASKED = 8, 12


def voc(folder: Path, lists: Mapping[str, Sequence[int]] | None = None) -> Path:
    """Bright squares on dark ground, numbered; the rim of each square is void (255), as in VOC."""
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).mkdir(parents=True)
    for number in range(MASKED + 2):
        mask = numpy.zeros((SIDE, SIDE), dtype=numpy.uint8)
        mask[2:6, 2:6] = 1 + number % 2
        pixels = numpy.where(mask[..., None] > 0, [200, 90 * (number % 2), 40], [10, 20, 30]).astype(numpy.uint8)
        PIL.Image.fromarray(pixels).save(folder / "JPEGImages" / f"2007_{number:06}.jpg", quality=95)
        mask[2, 2:6] = 255
        if number < MASKED:
            picture = PIL.Image.fromarray(mask, "P")
            picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [255] * 759)
            picture.save(folder / "SegmentationClass" / f"2007_{number:06}.png")
    if lists:
        (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    for name, numbers in (lists or {}).items():
        lines = "".join(f"2007_{number:06}\n" for number in numbers)
        (folder / "ImageSets" / "Segmentation" / f"{name}.txt").write_text(lines, encoding="utf-8")
    return folder


def test_the_lists_make_the_parts(tmp_path: Path) -> None:
    data = load(voc(tmp_path / "VOC", {"train": range(8), "val": range(8, 12), "trainval": range(12)}))
    assert isinstance(data, MemoryDataset)
    assert (data.task, data.outputs) == ("segmentation", 3)
    assert data.sizes["validation"] == 4
    assert data.sizes["train"] + data.sizes["test"] == 8
    assert data.y[0, 0, 0] == 0
    assert data.y[0, 2, 3] == IGNORED
    assert {int(one) for one in data.y[:, 4, 4]} == {1, 2}
    assert any("2 images without a mask" in str(note) for note in data.notes)


def test_without_lists_what_has_a_mask_is_taken(tmp_path: Path) -> None:
    assert sum(load(voc(tmp_path / "VOC")).sizes.values()) == 12


def test_a_test_list_whose_masks_are_kept_back_is_no_part(tmp_path: Path) -> None:
    folder = voc(tmp_path / "VOC", {"train": range(8), "val": range(8, 12), "test": [12, 13]})
    assert load(folder).sizes["validation"] == 4


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ({"train": [0, 1, 12]}, {"en": "1 images of the lists", "zh": "有 1 张图像在这里没有对应的文件"}),
        ({"train": [0, 1], "val": [12, 99]}, {"en": "2 images of the lists", "zh": "有 2 张图像在这里没有对应的文件"}),
    ],
)
def test_what_a_list_names_and_is_not_there_is_told(
    lists: dict[str, list[int]], words: dict[str, str], tmp_path: Path, language: str
) -> None:
    with pytest.raises(UserError, match=re.escape(words[language])):
        load(voc(tmp_path / "VOC", lists))


def test_a_run_answers_such_a_folder(tmp_path: Path) -> None:
    folder = voc(tmp_path / "VOC", {"train": range(8), "val": range(8, 12)})
    run = danlu.fit("unet", folder, epochs=1, width=4, folder=tmp_path / "run")
    answered = [place for one in run.predict_files(folder / "JPEGImages") for place in one.rows.places]
    assert len(answered) == 14
    assert run.evaluate(folder)["miou"] >= 0
