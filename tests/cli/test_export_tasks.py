"""`danlu export`, `check` and `predict` where a sample, or its answer, is more than a row and a class."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pytest
from PIL import Image

import danlu
from command_line import Type, assert_refused
from documentation import CHECKOUT
from task_matrix import TASKS, ground_of, trained

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

QUIET: dict[str, Any] = {"progress": False, "watch": False, "epochs": 2}
DRAWS = numpy.random.default_rng(1)


class Asked(NamedTuple):
    """A run, and a file that it answers."""

    run: danlu.Run
    file: Path


def label_cells(place: Path) -> Asked:
    rows = [f"{DRAWS.normal():.4f},{'abc'[row % 3]},{('red;round', 'red', 'blue')[row % 3]}" for row in range(90)]
    (place / "t.csv").write_text("\n".join(["size,kind,y", *rows]))
    return Asked(danlu.fit("mlp", place / "t.csv", target="y", folder=place / "run", **QUIET), place / "t.csv")


def label_columns(place: Path) -> Asked:
    rows = [f"{DRAWS.normal():.4f},{['no', 'yes'][row % 2]},{['no', 'yes'][row // 2 % 2]}" for row in range(90)]
    (place / "t.csv").write_text("\n".join(["size,wet,cold", *rows]))
    run = danlu.fit("mlp", place / "t.csv", target=["wet", "cold"], folder=place / "run", **QUIET)
    return Asked(run, place / "t.csv")


def several_numbers(place: Path) -> Asked:
    rows = [f"{DRAWS.normal():.4f},{DRAWS.normal():.4f},{DRAWS.normal():.4f}" for row in range(90)]
    (place / "t.csv").write_text("\n".join(["size,tall,wide", *rows]))
    run = danlu.fit("mlp", place / "t.csv", target=["tall", "wide"], folder=place / "run", **QUIET)
    return Asked(run, place / "t.csv")


def series(horizon: int) -> Callable[[Path], Asked]:
    def make(place: Path) -> Asked:
        lines = ["day,town,sky,temp"]
        for row in range(60):
            for town in ("Ulm", "Bonn"):
                sky = ["rain", "clear", ""][row % 3]
                lines.append(f"2024-{1 + row // 28:02d}-{1 + row % 28:02d},{town},{sky},{DRAWS.normal():.3f}")
        (place / "t.csv").write_text("\n".join(lines))
        settings = {"target": "temp", "window": 4, "horizon": horizon, "group": "town"} | QUIET
        return Asked(danlu.fit("gru", place / "t.csv", folder=place / "run", **settings), place / "t.csv")

    return make


def masks(place: Path) -> Asked:
    for folder in ("images", "masks"):
        (place / "seen" / folder).mkdir(parents=True)
    for number in range(30):
        pixels = DRAWS.integers(0, 255, (12, 12 + number % 2, 3)).astype("uint8")
        Image.fromarray(pixels).save(place / "seen" / "images" / f"{number}.png")
        Image.fromarray(pixels[..., 0] // 128 * 9).save(place / "seen" / "masks" / f"{number}.png")
    run = danlu.fit("unet", place / "seen", folder=place / "run", width=4, depth=1, **QUIET)
    return Asked(run, place / "seen" / "images")


def tags(place: Path) -> Asked:
    run = trained(ground_of(TASKS["tagging"], place), place / "run")
    (place / "t.txt").write_text("the dog sat\n\na cat ran off\nnobody\n")
    return Asked(run, place / "t.txt")


CASES: dict[str, Callable[[Path], Asked]] = {
    "label-cells": label_cells,
    "label-columns": label_columns,
    "several-numbers": several_numbers,
    "series": series(1),
    "series-steps": series(2),
    "masks": masks,
    "tags": tags,
}
made: dict[str, Asked] = {}


@pytest.fixture(params=CASES)
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Each case once, exported beside its run as model.onnx."""
    if request.param not in made:
        place = tmp_path_factory.mktemp(request.param)
        made[request.param] = CASES[request.param](place)
        made[request.param].run.export(place / "model.onnx")
    return made[request.param]


@pytest.mark.slow
def test_a_file_answers_as_its_run(asked: Asked, type_in: Type) -> None:
    ours = type_in("predict", asked.run.folder.parent / "model.onnx", asked.file, "--json").json
    theirs = type_in("predict", asked.run.folder, asked.file, "--json").json
    assert len(ours["rows"]) == len(theirs["rows"])
    for one, other in zip(ours["rows"], theirs["rows"], strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            assert one[name] == (pytest.approx(value, abs=1e-4) if isinstance(value, float) else value)
    if ours["score"] is not None:
        assert theirs["score"] is not None
        wanted = {name: value for name, value in theirs["score"].items() if not name.startswith("map")}
        assert ours["score"] == pytest.approx(wanted, rel=1e-4)
        assert (ours["samples"], ours["left_out"]) == (theirs["samples"], theirs["left_out"])
    else:
        assert asked.run.preprocessing.task in ("segmentation", "tagging")


PROGRAM = """
import sys
from danlu.cli.main import main
code = main()
print(code, *(name for name in sys.modules if name.partition(".")[0] == "torch"), file=sys.stderr)
"""


@pytest.mark.every(12)
def test_it_is_asked_without_torch(asked: Asked) -> None:
    place = asked.run.folder.parent
    for words in (("predict", "model.onnx", str(asked.file), "--json"), ("check", "model.onnx", "--json")):
        command = [sys.executable, "-c", PROGRAM, *words]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert done.stderr.splitlines()[-1] == "0", done.stderr


@pytest.mark.slow
def test_masks_are_written_as_the_run_writes_them(tmp_path_factory: pytest.TempPathFactory, type_in: Type) -> None:
    place = tmp_path_factory.mktemp("written")
    case = masks(place)
    case.run.export(place / "model.onnx")
    told = type_in("predict", place / "model.onnx", case.file, "--output", place / "ours").out
    assert (
        told.replace("ours", "theirs") == type_in("predict", place / "run", case.file, "--output", place / "theirs").out
    )
    ours, theirs = (sorted((place / name).rglob("*.png")) for name in ("ours", "theirs"))
    assert len(ours) == len(theirs) == 30
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(ours, theirs, strict=True))
    answer = type_in("export", place / "run", place / "again.onnx", "--json")
    assert answer.json["proof"]["resize"]["steps"][-1].endswith("squeezed, nothing cut")


@pytest.mark.every(2)
def test_whoever_has_to_resize_is_told(tmp_path: Path, type_in: Type, language: str) -> None:
    for label, value in (("dark", 20), ("light", 200)):
        (tmp_path / "seen" / label).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(DRAWS.integers(0, value, (12, 12)).astype("uint8")).save(
                tmp_path / "seen" / label / f"{number}.png"
            )
    danlu.fit("softmax-regression", tmp_path / "seen", folder=tmp_path / "run", **QUIET)
    answer = type_in("export", tmp_path / "run", tmp_path / "model.onnx", "--lang", language)
    assert answer.code == 0
    assert "12×12" in answer.out


@pytest.mark.slow
def test_several_inputs_are_in_no_file(tmp_path: Path, type_in: Type, language: str) -> None:
    ground = ground_of(TASKS["several-inputs"], tmp_path)
    run = trained(ground, tmp_path / "run")
    run.export(tmp_path / "model.onnx")
    refused = type_in("predict", tmp_path / "model.onnx", CHECKOUT / "README.md", "--lang", language)
    assert_refused(refused, language, "left, right")
    assert type_in("check", tmp_path / "model.onnx").code == 0
