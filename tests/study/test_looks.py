"""A study's answers, read from folders whose journals are written by hand: looks, margins, folders of danlu 0.1."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.store.study_folder import StudyFolder
from danlu.study.study import Study
from danlu.view.info.study import study_info_of

SCORES = [(0.80, 0.84), (0.81, 0.83), (0.79, 0.85), (0.80, 0.83), (0.82, 0.88), (0.80, 0.86)]


def folder_of(path: Path, stages: list[int], *, last: str = "look", margin: Any = None) -> Path:
    """A study of two rates that was carried out in stages, each up to so many seeds."""
    design = {"recipe": {}, "factors": {"optim.lr": [0.1, 1.0]}, "seeds": list(range(stages[-1])), "folds": 1}
    path.mkdir()
    StudyFolder(path).write_design(design | {"metric": None, "margin": margin, "baselines": []})
    lines: list[dict[str, Any]] = []
    for before, seeds in zip([0, *stages], stages, strict=False):
        lines.append({"kind": "begin", "members": 2 * seeds, "seeds": list(range(seeds)), "failed": []})
        lines += [
            {
                "kind": "member", "factors": {"optim.lr": rate}, "seed": seed, "fold": 0, "diverged": False,
                "score": {"loss": 1 - value, "accuracy": value}, "samples": 1000,
            }
            for seed in range(before, seeds)
            for rate, value in zip((0.1, 1.0), SCORES[seed], strict=True)
        ]  # fmt: skip
        lines.append({"kind": last, "seeds": seeds, "factors": {"optim.lr": 1.0}, "validation": {}, "run": "best"})
    (path / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("last", ["look", "best"])
def test_every_further_look_widens_the_interval_and_is_told(tmp_path: Path, last: str) -> None:
    once = Study(folder_of(tmp_path / "once", [6], last=last))
    often = Study(folder_of(tmp_path / "often", [3, 4, 5, 6], last=last))
    assert (once.looks, often.looks) == ([6], [3, 4, 5, 6])
    first, other = once.effects[0].effect, often.effects[0].effect
    assert first.mean == other.mean
    assert other.high - other.low > 1.5 * (first.high - first.low)
    assert once.effects[0].verdict == "better"


def test_what_is_shown_anywhere_is_the_same(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "s", [3, 6])
    study = Study(path)
    place = StudyFolder(path)
    page = study_info_of(place)
    assert list(page.effects) == study.as_dict()["effects"]
    assert page.looks == study.looks


def test_a_study_that_lacks_members_of_its_plan_has_no_answer(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "s", [5])
    journal = path / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines()[:-1]
    journal.write_text("\n".join(lines) + "\n", encoding="utf-8")
    study = Study(path)
    assert (study.looks, study.effects[0].verdict, study.effects[0].reason) == (None, "undecided", "unfinished")
    assert study.effects[0].as_dict()["low"] is None


@pytest.mark.parametrize("margin", [math.nan, -1.0, math.inf])
def test_a_margin_that_is_none_in_an_old_folder_gives_way_to_the_usual_one(tmp_path: Path, margin: float) -> None:
    assert Study(folder_of(tmp_path / "s", [6], margin=margin)).margin == 0.01


@pytest.mark.parametrize("margin", [math.nan, -1.0, math.inf, 1.0, 7.5])
def test_a_margin_that_is_none_is_refused_before_anything_is_trained(tmp_path: Path, margin: float) -> None:
    with pytest.raises(UserError, match="margin"):
        danlu.compare("mlp", "iris", vary={"lr": [0.1, 1.0]}, seeds=3, margin=margin, folder=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_study_writes_its_looks_and_its_samples(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"seeds": 3, "epochs": 1, "folder": tmp_path / "s", "progress": False}
    study = danlu.compare("softmax-regression", "iris", vary={"lr": [0.1, 1.0]}, **settings)
    assert study.looks is not None
    assert set(study.looks) == {3}
    assert all(member.samples for member in study.members)
    more = study.more(1, progress=False)
    assert more.looks is not None
    assert set(more.looks) == {3, 4}
