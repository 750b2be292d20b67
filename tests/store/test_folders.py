"""Folders of each kind, as danlu 0.1 and 0.2 wrote them, are read alike by every reader.

`expected.json` is what danlu said of them before its journals had types: `as_dict()` but for the recipes.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.strict_json import to_json
from danlu.base.words import use_language
from danlu.serve.api import Api
from danlu.serve.index import Index
from danlu.store.journal import read
from danlu.store.records import KINDS, record_of
from danlu.store.run_history import RunHistory
from danlu.store.study_history import StudyHistory

FOLDERS = Path(__file__).with_name("folders")
EXPECTED: dict[str, Any] = json.loads((FOLDERS / "expected.json").read_text(encoding="utf-8"))
JOURNALS = sorted(FOLDERS.rglob("journal.jsonl"))


def opened(place: Path) -> danlu.Run | danlu.Study | danlu.Search:
    kinds: dict[str, Any] = {"run": danlu.Run, "search": danlu.Search}
    return kinds.get(place.name, danlu.Study)(place)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_folder_is_read_as_it_always_was(name: str) -> None:
    use_language("en")
    try:
        text = to_json(opened(FOLDERS / name).as_dict()).replace(f"{FOLDERS}/", "")
    finally:
        use_language(None)
    said: dict[str, Any] = json.loads(text)
    said.pop("recipe", None)
    said.get("best", {}).pop("recipe", None)
    for finding in said.get("findings", ()):
        assert [finding.pop(later) for later in ("line", "snippet", "confidence")] == [None] * 3
    assert said == EXPECTED[name]


def test_every_folder_has_its_page() -> None:
    api = Api(Index(FOLDERS))
    rows = json.loads(api.list("en", "") or b"")["rows"]
    assert {row["name"] for row in rows} >= EXPECTED.keys()
    assert all(row["state"] == "finished" for row in rows)
    for row in rows:
        page = json.loads((api.run if row["kind"] == "run" else api.study)(row["id"], "en", "") or b"")
        assert "error" not in page
        assert page["charts"]


@pytest.mark.parametrize("journal", JOURNALS, ids=lambda path: path.parent.relative_to(FOLDERS).as_posix())
def test_every_line_is_a_record_that_is_written_as_it_was_read(journal: Path) -> None:
    for entry in read(journal):
        record = record_of(entry)
        assert record is not None
        again = json.loads(to_json(record.to_json()))
        assert {key: again[key] for key in entry} == entry
    history = RunHistory.read(journal) if (journal.parent / "recipe.toml").is_file() else StudyHistory.read(journal)
    assert (history.skipped, history.unknown) == (0, 0)


def test_the_folders_hold_most_kinds_of_records() -> None:
    told = {entry["kind"] for journal in JOURNALS for entry in read(journal)}
    without = {"resume", "stop", "surface", "failed", "nothing", "stack", "member-epochs", "text", "forecast"}
    without |= {"processes", "micro-batch"}  # of trainings that several share, and of those that fit their memory
    without |= {"time", "followed", "moment", "pictured"}  # newer than the folders
    assert KINDS.keys() - told == without
