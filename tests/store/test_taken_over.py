import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danlu.store import new_run
from danlu.store.journal import Journal, read
from danlu.store.new_run import NewRun
from danlu.store.records import ParentRun, RunResumed, RunStarted
from danlu.store.run_folder import RunFolder
from danlu.store.run_history import RunHistory
from danlu.store.taken_over import taken_over

PARENT = ParentRun(name="first", folder="/runs/first", weights="ab", epoch=1, further=True)
STARTED = RunStarted(epochs=2, steps_per_epoch=2, fingerprint="3f2a", version=2, parent=PARENT)
COURSE: list[dict[str, Any]] = [
    {"kind": "start", "epochs": 1, "steps_per_epoch": 2, "loading": 1.5, "version": 2},
    {"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0], "lr": 0.1},
    {"kind": "resume", "step": 0, "loading": 0.5},
    {"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0, "NaN"], "lr": 0.1},
    {"kind": "of tomorrow", "step": 2},
    {"kind": "epoch", "epoch": 1, "step": 2, "train": {"loss": 1.5}, "validation": None, "best": False, "seconds": 1},
    {"kind": "checkpoint", "step": 1},
    {"kind": "predictions", "part": "test"},
    {"kind": "end", "step": 2, "epochs": 1, "seconds": 1.0, "reason": "finished", "score": {"test": {"loss": 1.0}}},
]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as written:
        for entry in COURSE:
            written.write(entry)
    with path.open("ab") as file:
        file.write(b'{"kind": "st')
    return path


def test_the_course_is_taken_over_and_the_end_is_not(journal: Path) -> None:
    entries = list(taken_over(journal, STARTED, 2))
    told = RunHistory.of(entries)
    assert (told.steps, told.loss[0], told.finished, told.score) == ([1, 2], 2.0, False, {})
    assert [epoch.epoch for epoch in told.epochs] == [1]
    assert told.checkpoints == [2]
    assert told.parent == PARENT
    assert told.loading == 2.0, "1.5 and 0.5 of the other's; its own come with the first resume"
    assert {"kind": "of tomorrow", "step": 2} in entries
    assert entries[0]["epochs"] == 2


def test_a_journal_without_its_opening_is_taken_over_too(tmp_path: Path) -> None:
    for number, opening in enumerate((b"", b'{"kind": "start", "loading": "long"}\n')):
        path = tmp_path / str(number)
        path.write_bytes(opening + b'{"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0], "lr": 0.1}\n')
        told = RunHistory.of(taken_over(path, STARTED, 1))
        assert (told.loss, told.loading, told.parent) == ([2.0], 0.0, PARENT)


def began(folder: Path) -> RunFolder:
    """What a creation leaves that is killed before the recipe is there."""
    new = NewRun.at(folder, "", {})
    new.begin_with([STARTED.to_json()])
    (new.place.checkpoints / "step-00000160").mkdir()
    new.journal.close()
    return new.place


def test_what_was_taken_over_stands_before_the_run_does(tmp_path: Path) -> None:
    with NewRun.at(tmp_path / "run", "", {}) as new:
        new.begin_with([STARTED.to_json(), RunResumed(step=2).to_json()])
        new.establish()
    assert [entry["kind"] for entry in read(new.place.journal)] == ["start", "resume"]
    assert sorted(path.name for path in new.place.path.iterdir()) == [
        "checkpoints", "environment.json", "journal.jsonl", "recipe.toml",
    ]  # fmt: skip


def test_a_creation_cut_short_is_cleared_away(tmp_path: Path) -> None:
    place = began(tmp_path / "run")
    with NewRun.at(tmp_path / "run", "", {}) as new:
        assert place.journal.stat().st_size == 0
        new.establish()
    assert list(place.checkpoints.iterdir()) == []


@pytest.mark.parametrize("gone", range(1, 5))
def test_clearing_away_may_be_cut_short_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: int) -> None:
    began(tmp_path / "run")
    left = gone

    def counted(act: Callable[..., None]) -> Callable[..., None]:
        def acting(*what: Any, **how: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            act(*what, **how)

        return acting

    with monkeypatch.context() as cut:
        cut.setattr(shutil, "rmtree", counted(shutil.rmtree))
        cut.setattr(new_run, "discard", counted(new_run.discard))
        cut.setattr(NewRun, "close", lambda self: self.journal.close())
        with contextlib.suppress(KeyboardInterrupt):
            NewRun.at(tmp_path / "run", "", {}).close()
    with NewRun.at(tmp_path / "run", "", {}) as new:
        new.establish()


def test_a_creation_that_fails_leaves_nothing(tmp_path: Path) -> None:
    new = NewRun.at(tmp_path / "run", "", {})
    new.begin_with([STARTED.to_json()])
    (new.place.checkpoints / "step-00000160").mkdir()
    (tmp_path / "run" / ".tmp-recipe.toml").unlink()  # as a full disk does to a recipe that it has no room for
    new.close()
    assert not (tmp_path / "run").exists()


def test_a_run_that_lost_its_recipe_is_nobodys_to_clear(tmp_path: Path) -> None:
    place = began(tmp_path / "run")
    (tmp_path / "run" / ".tmp-recipe.toml").unlink()
    with pytest.raises(Exception, match="not empty"):
        NewRun.at(tmp_path / "run", "", {})
    assert place.journal.stat().st_size > 0
