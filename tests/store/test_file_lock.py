"""The lock of a journal, as it is on POSIX and as it is on Windows, where a file beside it is locked."""

from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.store.file_lock import lock_file
from danlu.store.journal import Journal, read
from danlu.store.new_run import NewRun


@pytest.fixture(params=[False, True], ids=["the file itself", "a file beside it"], autouse=True)
def beside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr("danlu.store.file_lock._LOCKED_BESIDE", request.param)
    monkeypatch.setattr("danlu.store.journal.DELETES_OPEN_FILES", not request.param)
    monkeypatch.setattr("danlu.store.new_run.DELETES_OPEN_FILES", not request.param)
    return request.param


def test_one_at_a_time_and_nothing_stays_beside_it(tmp_path: Path, beside: bool) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        assert lock_file(path).exists() is beside
        journal.write({"a": 1})
        journal.flush()
        with pytest.raises(UserError, match="by another process"):
            Journal(path)
        assert list(read(path)) == [{"a": 1}], "it is read while it is written"
        journal.write({"a": 2})
    assert [one.name for one in tmp_path.iterdir()] == ["journal.jsonl"]
    Journal(path).close()
    assert list(read(path)) == [{"a": 1}, {"a": 2}]


def test_a_folder_that_is_being_filled_is_in_use(tmp_path: Path) -> None:
    with NewRun.at(tmp_path / "mine", "", {}):
        with pytest.raises(UserError, match="by another process"):
            NewRun.at(tmp_path / "mine", "", {})
        assert (tmp_path / "mine" / "journal.jsonl").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_a_killed_process_left_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    lock_file(tmp_path / "mine" / "journal.jsonl").touch()
    (tmp_path / "mine" / "journal.jsonl").touch()
    with NewRun.at(tmp_path / "mine", "", {}) as new:
        new.establish()
    assert (tmp_path / "mine" / "recipe.toml").exists()
