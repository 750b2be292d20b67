"""The copy of a run of a user's own net, asked on the command line where its code is not; and runs that are checked."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import danlu
from command_line import SOFTMAX, TABLE, Type, assert_refused
from danlu.base.places import PROGRAM_VARIABLE
from danlu.ship import RunOnTrial
from danlu.store.package_file import read_package_file


@pytest.fixture
def copied(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trained on a table as an object that nothing else has, copied; the run itself and its table are gone."""
    monkeypatch.setenv(PROGRAM_VARIABLE, "1")
    (work / "rows.csv").write_text(TABLE)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    run = danlu.fit(net, work / "rows.csv", target="y", folder=work / "run", epochs=1, progress=False)
    shutil.move(run.folder, work / "copy")
    return work / "copy"


def test_it_predicts_and_is_checked_and_tried(copied: Path, type_in: Type) -> None:
    answer = type_in("predict", str(copied), "rows.csv", "--json")
    assert answer.code == 0
    assert len(answer.json["rows"]) == 60
    score = danlu.Run(copied).score["test"]
    assert 0 <= answer.json["score"]["accuracy"] <= 1 and score
    checked = type_in("check", str(copied))
    assert (checked.code, "are answered as when the training ended" in checked.out) == (0, True)
    trial = RunOnTrial(danlu.Run(copied).answerer)
    assert trial.row({"a": "3", "b": "2"})["answer"] in ("0", "1", 0, 1)


def test_a_run_that_answers_otherwise_fails_its_check(work: Path, type_in: Type, language: str) -> None:
    assert type_in(*SOFTMAX, "--data", "iris", "--name", "run", "train.epochs=1").code == 0
    assert type_in("check", "runs/run", "--lang", language).code == 0
    path = work / "runs" / "run" / "package.json"
    package = read_package_file(path)
    assert package is not None and package.answers is not None
    first, *others = package.answers.golden.samples
    other = next(one.answer for one in others if one.answer != first.answer)
    golden = replace(package.answers.golden, samples=(replace(first, answer=other), *others))
    replace(package, answers=replace(package.answers, golden=golden)).write(path)
    answer = type_in("check", "runs/run", "--json")
    assert (answer.code, answer.json["passed"], len(answer.json["differences"])) == (1, False, 1)
    replace(package, answers=None).write(path)
    assert_refused(type_in("check", "runs/run", "--lang", language), language, "run")
