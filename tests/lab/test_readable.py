"""Every public object prints as a text worth reading, and a notebook shows it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import danlu


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("shown")
    few: dict[str, Any] = {"epochs": 1, "progress": False}
    run = danlu.fit("mlp", "iris", lr=20.0, folder=folder / "run", **few)
    x = torch.linspace(-1, 1, 20)[:, None]
    with danlu.watch(nn.Linear(1, 1)) as watch:
        pass
    return {
        "Dataset": danlu.load("digits"),
        "reconstruction": danlu.load("digits", task="reconstruction"),
        "Run": run,
        "Recipe": run.recipe,
        "Study": danlu.compare("mlp", "iris", vary={"lr": [0.01, 0.1]}, seeds=1, folder=folder / "study", **few),
        "Search": danlu.search("mlp", "iris", space={"lr": (0.01, 0.1)}, trainings=8, folder=folder / "search", **few),
        "RateTest": danlu.lr_find("mlp", "iris", points=8, steps=8),
        "Check": danlu.check("mlp", "iris"),
        "Watch": watch,
        "Landscape": danlu.landscape(nn.Linear(1, 1), (x, 3 * x), points=5, span=(-5, 5)),
        "Description": danlu.describe(nn.Linear(4, 3), (4,)),
        "findings": run.findings,
        "Proof": danlu.cure(run, seeds=3, folder=folder / "cure", progress=False),
        "Drawing": danlu.draw("lenet5", "digits"),
    }


def test_it_is_a_text_and_no_dump(objects: dict[str, Any]) -> None:
    for name, one in objects.items():
        text, short = str(one), repr(one)
        assert text.strip(), name
        assert " object at 0x" not in text + short, name
        assert "tensor(" not in text + short, name
        if name != "findings":
            assert len(short) < 400, name
        assert max(len(line) for line in text.splitlines()) < 400, name


def test_a_notebook_shows_it(objects: dict[str, Any]) -> None:
    for name, one in objects.items():
        shown = one._repr_html_()
        assert shown.lstrip().startswith("<"), name


def test_it_speaks_the_language_in_force(objects: dict[str, Any], language: str) -> None:
    words = {"en": ("to train on", "lowest", "parameters"), "zh": ("训练", "最低", "参数")}[language]
    for name, word in zip(("Dataset", "Landscape", "Description"), words, strict=True):
        assert word in str(objects[name])
    if language == "zh":
        assert "to train on" not in str(objects["Dataset"])
