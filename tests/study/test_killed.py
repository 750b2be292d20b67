"""A study whose process is killed without warning goes on: the same members with the same scores, none lost."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import danlu
import preloaded
from danlu.store.journal import read
from danlu.study.study import Study

# Three structures, so that members are done in three lots: two stacks, and one that cannot be stacked.
STUDY = """
import sys
import danlu
danlu.compare("mlp", "iris", vary={"optim.name": ["sgd", "adam", "rprop"], "lr": [0.01, 0.1]}, seeds=2, epochs=30,
              folder=sys.argv[1], jobs=1, progress=False)
"""


def records(folder: Path) -> list[dict[str, Any]]:
    journal = folder / "journal.jsonl"
    return list(read(journal)) if journal.is_file() else []


def done(folder: Path) -> list[tuple[str, int, int]]:
    return [(str(row["factors"]), row["seed"], row["fold"]) for row in records(folder) if row.get("kind") == "member"]


def scores(study: Study) -> dict[tuple[str, int, int], float]:
    return {(str(m.factors), m.seed, m.fold): m.score["loss"] for m in study.members}


def killed(folder: Path, after: int) -> None:
    """Begin or go on with the study, and kill it as soon as `after` members are done in all."""
    process = preloaded.Process(["-c", STUDY, str(folder)])
    try:
        while process.poll() is None and len(done(folder)) < after:
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    settings: dict[str, Any] = {"seeds": 2, "epochs": 30, "jobs": 1, "progress": False}
    vary = {"optim.name": ["sgd", "adam", "rprop"], "lr": [0.01, 0.1]}
    return danlu.compare("mlp", "iris", vary=vary, folder=tmp_path_factory.mktemp("whole") / "s", **settings)


@pytest.mark.slow
def test_killed_at_several_moments_it_ends_with_the_same_members_each_trained_once(
    whole: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "s"
    before = done(folder)
    for moment in (1, 6, 11):
        killed(folder, moment)
        before = done(folder)
        assert len(before) >= moment
        assert len(before) == len(set(before))
    study = danlu.resume(folder, progress=False)
    assert study.finished
    assert done(folder)[: len(before)] == before
    assert len(done(folder)) == len(set(done(folder))) == 12
    assert scores(study) == pytest.approx(scores(whole), rel=1e-5)
    assert whole.best is not None
    assert study.best.factors == whole.best.factors
    assert len([row for row in records(folder) if row.get("kind") == "best"]) == 1


@pytest.mark.slow
def test_killed_while_the_best_is_trained_it_is_trained_and_told_once(whole: Study, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    shutil.copytree(whole.folder, folder)
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    cut = [line for line in lines if '"best"' not in line]
    (folder / "journal.jsonl").write_text("".join(cut))
    study = danlu.resume(folder, progress=False)
    assert study.finished
    assert len(done(folder)) == 12
    assert len(list(folder.glob("best-*"))) == 1


def test_what_has_ended_is_left_as_it_is(whole: Study) -> None:
    before = (whole.folder / "journal.jsonl").read_bytes()
    assert danlu.resume(whole.folder, progress=False).finished
    assert (whole.folder / "journal.jsonl").read_bytes() == before


def test_what_belongs_to_a_run_is_refused_for_a_study_and_the_other_way(whole: Study) -> None:
    with pytest.raises(danlu.UserError, match="root is for runs"):
        danlu.resume(whole.folder, root="elsewhere")
    assert whole.best is not None
    with pytest.raises(danlu.UserError, match="jobs is for studies"):
        danlu.resume(whole.best.run, jobs=2)
