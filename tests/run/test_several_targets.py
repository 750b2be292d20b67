"""Several target columns, and several labels a sample, from the file to the answers."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy
import pytest

import danlu
from danlu.data.label_sets import LabelSets
from interruption import assert_same_end, interrupt_at

TARGETS = {"numbers": "height,weight", "switches": ["even", "big"], "cells": "tags"}


def write(path: Path, kind: str, rows: int = 120) -> Path:
    draw = random.Random(3)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        names = {"numbers": ["height", "weight"], "switches": ["even", "big"], "cells": ["tags"]}[kind]
        table.writerow(["a", "b", *names])
        for _ in range(rows):
            a, b = draw.gauss(0, 1), draw.gauss(0, 1)
            tags = [name for name, on in (("red", a > 0), ("round", b > 0)) if on]
            targets: dict[str, list[Any]] = {
                "numbers": [100 + 10 * a, 0.1 * b],
                "switches": ["yes" if a > 0 else "no", int(b > 0)],
                "cells": [";".join(tags) or ";"],
            }
            table.writerow([a, b, *targets[kind]])
    return path


@pytest.fixture(params=list(TARGETS))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def fitted(tmp_path: Path, kind: str, name: str = "run", **settings: Any) -> danlu.Run:
    file = tmp_path / f"{kind}.csv"
    settings = {"epochs": 3, "batch_size": 10, "lr": 0.05, **settings}
    data = file if file.exists() else write(file, kind)
    return danlu.fit("mlp", str(data), target=TARGETS[kind], folder=tmp_path / name, progress=False, **settings)


@pytest.mark.every(3)
def test_a_run_answers_from_its_folder_and_scores_as_it_was_scored(tmp_path: Path, kind: str) -> None:
    run = fitted(tmp_path, kind)
    names = ("height", "weight") if kind == "numbers" else run.preprocessing.classes
    again = danlu.Run(tmp_path / "run")
    raw = {"a": [2.0, -2.0, 2.0], "b": [2.0, -2.0, -2.0]}
    answers = again.predict(raw)
    if kind == "numbers":
        assert again.preprocessing.targets == names
        assert answers.shape == (3, 2) and answers[0, 0] > 105 > 95 > answers[1, 0]
        with pytest.raises(danlu.UserError, match="regression"):
            again.predict_proba(raw)
    else:
        assert all(isinstance(one, list) for one in answers)
        probabilities = again.predict_proba(raw)
        target = again.preprocessing.target
        assert isinstance(target, LabelSets) and len(target.thresholds) == 2
        given = probabilities >= numpy.array(target.thresholds)
        assert [[names[at] for at in row.nonzero()[0]] for row in given] == answers.tolist()
        again.export(tmp_path / "net.onnx")
        assert (tmp_path / "net.onnx").is_file()
    evaluated = again.evaluate(again.samples)
    for name, value in run.score["test"].items():
        if name != "loss":
            assert evaluated[name] == pytest.approx(value, rel=1e-5), name
    metric = "r2" if kind == "numbers" else "f1"
    assert {f"{metric}.{name}" for name in names} <= evaluated.keys()


def test_files_are_answered_and_scored(tmp_path: Path, kind: str) -> None:
    run = fitted(tmp_path, kind)
    predictions = list(run.predict_files(tmp_path / f"{kind}.csv"))
    records = [record for one in predictions for record in one.records(run.preprocessing)]
    wanted = {"height", "weight"} if kind == "numbers" else {"answer"}
    assert len(records) == 120 and all(wanted <= record.keys() for record in records)
    whole = run.evaluate(tmp_path / f"{kind}.csv")
    assert whole["r2" if kind == "numbers" else "f1"] > 0.8


@pytest.mark.every(3)
def test_resumed_it_ends_bit_identical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    whole = fitted(tmp_path, kind, "whole")
    with monkeypatch.context() as patch:
        interrupt_at(patch, 13)
        with pytest.raises(danlu.Interrupted, match="broken"):
            fitted(tmp_path, kind, "broken")
    run = danlu.resume(tmp_path / "broken", progress=False)
    assert_same_end(whole, run)
    assert run.score == whole.score and run.preprocessing.target == whole.preprocessing.target


@pytest.mark.every(3)
def test_studies_and_pages(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / f"{kind}.csv", kind)
    settings: dict[str, Any] = {"epochs": 2, "seeds": 2, "progress": False, "folder": tmp_path / "study"}
    study = danlu.compare("mlp", str(file), target=TARGETS[kind], vary={"optim.lr": [0.01, 0.1]}, **settings)
    assert len(study.members) == 4
    run = fitted(tmp_path, kind)
    assert "weight" in str(run) if kind == "numbers" else "F1" in str(run)
    assert (tmp_path / "run" / "report.html").read_text(encoding="utf-8").count("<section") > 1


@pytest.mark.slow
def test_numbers_are_exported_under_their_names(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    run = fitted(tmp_path, "numbers")
    assert run.export(tmp_path / "net.onnx").score
    recipe = json.loads((tmp_path / "run" / "package.json").read_text(encoding="utf-8"))
    assert recipe["preprocessing"]["target"]["names"] == ["height", "weight"]


def test_without_a_validation_part_the_thresholds_stay_and_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = numpy.linspace(-1, 1, 60).reshape(30, 2)
    run = danlu.fit("mlp", (x, x > 0), validation=0, epochs=1, folder=tmp_path / "run")
    assert "thresholds" in capsys.readouterr().err
    target = run.preprocessing.target
    assert isinstance(target, LabelSets) and target.least.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("net", ["softmax-regression", "linear-regression"])
def test_a_net_for_another_task_is_refused(tmp_path: Path, net: str) -> None:
    x = numpy.linspace(-1, 1, 60).reshape(30, 2)
    data = danlu.load((x, x > 0))
    with pytest.raises(danlu.UserError, match="not for several labels"):
        danlu.fit(net, data, epochs=1, folder=tmp_path / "run", progress=False)


def test_baselines_are_refused(tmp_path: Path) -> None:
    x = numpy.linspace(-1, 1, 60).reshape(30, 2)
    with pytest.raises(danlu.UserError, match="Baselines are for classes and numbers"):
        danlu.compare("mlp", (x, x > 0), vary={"optim.lr": [0.1, 0.2]}, epochs=1, baselines=["linear"], progress=False)
