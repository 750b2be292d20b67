"""What a folder of images gets where nobody names a network, carried through training, resume and study."""

from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

import danlu
from danlu.base.errors import Fault

QUIET: dict[str, Any] = {"progress": False, "epochs": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator = numpy.random.default_rng(0)
    for label in ("left", "right"):
        place = tmp_path / "images" / label
        place.mkdir(parents=True)
        for number in range(20):
            pixels = generator.integers(0, 100, (16, 16), dtype=numpy.uint8)
            pixels[:, : 8 if label == "left" else 16] += 100
            Image.fromarray(pixels).save(place / f"{number}.png")
    return tmp_path / "images"


def notes_of(data: danlu.Dataset) -> list[str]:
    return [note.id for note in data.notes if isinstance(note, Fault)]  # pyright: ignore[reportUnnecessaryIsInstance]


def test_a_folder_of_small_images_is_shifted_and_it_is_said(folder: Path, tmp_path: Path) -> None:
    run = danlu.fit(data=folder, folder=tmp_path / "run", **QUIET)
    assert (run.recipe.net.name, run.recipe.net.options["depth"]) == ("small-resnet", 8)
    assert (run.recipe.data.augment, run.recipe.schedule.name) == (("crop",), "one-cycle")
    assert "lab.usual-pictures" in notes_of(run.data)
    given = danlu.fit(data=danlu.load(folder), folder=tmp_path / "given", **QUIET)
    assert given.score == run.score


def test_whoever_names_net_or_augmentation_gets_that_alone(folder: Path, tmp_path: Path) -> None:
    named = danlu.fit("lenet5", folder, folder=tmp_path / "named", **QUIET)
    assert (named.recipe.data.augment, named.recipe.schedule.name) == (None, "constant")
    assert "activation" not in named.recipe.net.options
    flipped = danlu.fit(data=folder, augment="flip", folder=tmp_path / "flipped", **QUIET)
    assert flipped.recipe.data.augment == ("flip",)
    tanh = danlu.fit(data=folder, activation="tanh", folder=tmp_path / "tanh", **QUIET)
    assert (tanh.recipe.net.name, tanh.recipe.net.options["activation"]) == ("lenet5", "tanh")


@pytest.mark.slow
def test_a_resume_and_a_study_take_the_same(folder: Path, tmp_path: Path) -> None:
    def stop(event: Any) -> None:
        if isinstance(event, danlu.EpochDone):
            raise RuntimeError("now")

    settings = {"progress": False, "epochs": 2}
    with pytest.raises(RuntimeError, match="now"):
        danlu.fit(data=folder, listeners=[stop], folder=tmp_path / "run", **settings)
    whole = danlu.fit(data=folder, folder=tmp_path / "whole", **settings)
    assert danlu.resume(tmp_path / "run", progress=False).score == whole.score
    study = danlu.compare(data=folder, vary={"lr": [0.01, 0.02]}, seeds=2, folder=tmp_path / "study", **QUIET)
    best = study.best.recipe
    assert (best.data.augment, best.schedule.name, best.net.options["depth"]) == (("crop",), "one-cycle", 8)


@pytest.mark.slow
def test_the_catalogue_is_trained_as_before() -> None:
    checked = danlu.check(data="digits", epochs=1)
    assert "usual-pictures" not in str(checked)
