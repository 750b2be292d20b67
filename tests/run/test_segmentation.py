"""A class for each pixel, from arrays or a folder of images and masks to the answers."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from torch import nn

import danlu
from danlu.base.ignored import IGNORED
from danlu.data.place_labels import PixelLabels
from interruption import assert_same_end, interrupt_at

SMALL: dict[str, Any] = {"batch_size": 8, "optimizer": "adam", "lr": 0.01, "progress": False}
NET = {"name": "unet", "width": 4, "depth": 2}


def squares(count: int = 40, side: int = 15, channels: int = 1) -> tuple[Any, Any]:
    """Grey fields with a bright square, whose pixels are class 1, and a dark one, class 2."""
    draw = numpy.random.default_rng(5)
    x = draw.integers(100, 140, (count, side, side), dtype=numpy.uint8)
    y = numpy.zeros((count, side, side), dtype=numpy.int64)
    for row in range(count):
        for label, value in ((1, 250), (2, 5)):
            top, left = draw.integers(0, side - 5, 2)
            x[row, top : top + 5, left : left + 5] = value
            y[row, top : top + 5, left : left + 5] = label
    return (x if channels == 1 else numpy.repeat(x[:, None], channels, 1)), y


def folder_of(path: Path, count: int = 40) -> Path:
    x, y = squares(count)
    for name in ("images", "masks"):
        (path / name).mkdir(parents=True)
    for row in range(count):
        Image.fromarray(x[row]).save(path / "images" / f"{row}.png")
        Image.fromarray(y[row].astype(numpy.uint8)).save(path / "masks" / f"{row}.png")
    (path / "classes.txt").write_text("ground\nlight\ndark\n", encoding="utf-8")
    return path


def fitted(folder: Path, data: Any = None, **settings: Any) -> danlu.Run:
    data = squares() if data is None else data
    return danlu.fit(NET, data, folder=folder, **{"epochs": 8, **SMALL, **settings})


def test_a_run_finds_the_pixels_and_answers_from_its_folder(tmp_path: Path) -> None:
    x, y = squares()
    run = fitted(tmp_path / "run", (x, y + 3), epochs=12)
    assert run.preprocessing.task == "segmentation" and run.preprocessing.classes == ("3", "4", "5")
    assert run.score["test"]["miou"] > 0.7 and "iou.4" in run.score["test"]
    again = danlu.Run(tmp_path / "run")
    masks, likely = again.predict(x[:3]), again.predict_proba(x[:3])
    assert masks.shape == (3, 15, 15) and set(masks.flatten().tolist()) <= {3, 4, 5}
    assert likely.shape == (3, 3, 15, 15) and likely.sum(1) == pytest.approx(numpy.ones((3, 15, 15)))
    assert (likely.argmax(1) + 3 == masks).all()
    assert again.evaluate((x, y + 3))["miou"] > 0.7
    given = danlu.Run(tmp_path / "run", data=(x, y + 3))
    assert given.evaluate(given.samples)["miou"] == pytest.approx(run.score["test"]["miou"])
    again.export(tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").is_file()
    with pytest.raises(danlu.UserError, match="masks"):
        again.evaluate((x, y[:, :5]))


@pytest.mark.slow
def test_it_is_better_than_the_most_frequent_class(tmp_path: Path) -> None:
    study = danlu.compare(
        NET, squares(), vary={"lr": [0.003, 0.01]}, seeds=2, epochs=6, baselines=["majority"], metric="miou",
        folder=tmp_path, **{key: value for key, value in SMALL.items() if key != "lr"},
    )  # fmt: skip
    assert len(study.members) == 4 and not study.failed
    (always,) = study.baselines
    best = max(member.score["miou"] for member in study.members)
    assert best > always["score"]["miou"] and 0.25 < always["score"]["miou"] < 0.34


def test_pixels_without_a_class_count_nowhere(tmp_path: Path) -> None:
    x, y = squares()
    hidden = y.copy()
    hidden[:, :4] = 255
    data = danlu.load((x, hidden))
    assert data.classes == ("0", "1", "2") and "255" in str(data)
    ones = danlu.load((x, numpy.where(hidden == 255, -1, hidden)))
    runs = [fitted(tmp_path / name, one, epochs=2) for name, one in (("a", data), ("b", ones))]
    assert runs[0].score == runs[1].score
    whole = runs[0].evaluate((x, hidden))
    assert whole == runs[0].evaluate((x, numpy.where(hidden == 255, 77, hidden)))


def test_resumed_it_ends_bit_identical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"epochs": 3, "accumulate": 2, "class_weights": "balanced"}
    data = folder_of(tmp_path / "data")
    augmented = {"augment": ["flip", "crop:2"], **settings}
    whole = fitted(tmp_path / "whole", data, **augmented)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4)
        with pytest.raises(danlu.Interrupted, match="broken"):
            fitted(tmp_path / "broken", data, **augmented)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


def test_pictures_and_masks_move_alike() -> None:
    _, y = squares()
    draw = numpy.random.default_rng(1)
    marked = draw.integers(1, 200, y.shape).astype(numpy.uint8)  # each picture is its own mask
    data = danlu.load((marked, marked.astype(numpy.int64)), augment=["flip", "crop:3"], standardise=False)
    target = data.target
    assert isinstance(target, PixelLabels)
    for pictures, masks in data.batches("train", 8, augment=True, shuffle=True, device=torch.device("cpu")):
        shown = (pictures[:, 0] * 255).round().long().numpy()
        values = numpy.array(target.values)[masks.clamp(min=0).numpy()]
        assert (masks == IGNORED).any()
        assert (numpy.where(masks == IGNORED, 0, values) == shown).all()


def test_any_module_with_logits_for_each_pixel_is_trained(tmp_path: Path) -> None:
    x, y = squares(channels=3)
    run = danlu.fit(nn.Conv2d(3, 2, 3, padding=1), (x, y > 0), epochs=1, folder=tmp_path / "wide", **SMALL)
    assert run.predict(x[:2]).dtype == bool
    with pytest.raises(danlu.UserError, match="2×15×15"):
        danlu.fit(nn.Conv2d(3, 2, 3), (x, y > 0), epochs=1, folder=tmp_path / "cut", **SMALL)


def test_floats_and_focal_loss_and_odd_layouts(tmp_path: Path) -> None:
    x, y = squares(channels=3)
    last = numpy.moveaxis(x, 1, -1) / 255.0
    run = fitted(tmp_path / "run", (last, y[:, None]), loss="focal", epochs=2)
    assert run.predict(last[:2]).shape == (2, 15, 15)
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    assert danlu.load(pairs).task == "segmentation"
    assert danlu.load(Pairs(x / 255.0, y)).task == "segmentation"


class Pairs(torch.utils.data.Dataset[Any]):
    """A map-style dataset of a user's own."""

    def __init__(self, x: Any, y: Any) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, row: int) -> Any:
        return torch.as_tensor(self.x[row], dtype=torch.float32), torch.as_tensor(self.y[row])


@pytest.mark.slow
def test_a_watched_training_has_no_false_findings_and_the_check_passes(tmp_path: Path) -> None:
    data = folder_of(tmp_path / "data")
    run = fitted(tmp_path / "run", data, epochs=12)
    assert [finding.rule for finding in run.findings if finding.severity != "advice"] == []
    checked = danlu.check(NET, data, optimizer="adam", lr=0.01, batch_size=8)
    assert not [line for line in checked.lines if line.status in ("error", "warning")]
    assert danlu.lr_find(NET, data, batch_size=8, optimizer="adam").suggestion


def test_a_folder_with_its_masks_is_scored(tmp_path: Path) -> None:
    data = folder_of(tmp_path / "data")
    run = fitted(tmp_path / "run", data, epochs=2)
    x, y = squares()
    assert run.evaluate(data) == pytest.approx(run.evaluate((x, y)))
    rows = [row for one in run.predict_files(data) for row in one.records(run.preprocessing)]
    assert len(rows) == 40 and rows[0]["row"] == "images/0.png"


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "loss": ({"loss": "mse"}, "cross-entropy, nll, focal", "cross-entropy, nll, focal"),
    "binary-loss": ({"loss": "bce"}, "class at each place", "每个位置"),
    "balance": ({"balance": "classes"}, "segmentation", "语义分割"),
    "metric": ({"vary": {"lr": [0.1, 0.2]}, "metric": "f1"}, "miou", "miou"),
}


@pytest.mark.every(2)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told(mistake: str, tmp_path: Path, language: str) -> None:
    settings, english, chinese = MISTAKES[mistake]
    verb: Any = danlu.compare if "vary" in settings else danlu.fit
    with pytest.raises(danlu.UserError, match=english if language == "en" else chinese):
        verb(NET, squares(), epochs=1, folder=tmp_path / "run", progress=False, **settings)


def test_the_report_shows_the_worst_pictures(tmp_path: Path) -> None:
    fitted(tmp_path / "run", folder_of(tmp_path / "data"), epochs=1)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "image/png" in page or '"png"' in page
    assert "ground" in page and "mean IoU" in page


def test_a_batch_without_any_class_changes_nothing(tmp_path: Path) -> None:
    x, y = squares(20)
    y[3:] = 255
    y[0, 0, 0], y[1, 0, 0] = 1, 2
    run = fitted(tmp_path / "run", (x, y), epochs=1, batch_size=1, norm="none")
    assert run.score["train"]["loss"] == run.score["train"]["loss"]
