"""Journals of the wrong types, a thousand of them: every page answers, and nothing is an error of the server's."""

import json
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danlu.serve import api as api_module
from danlu.serve.api import Api
from danlu.serve.index import Index
from danlu.store.journal import Follower
from danlu.store.run_history import RunHistory
from dashboard_site import LAYERS, Record, course, make_run, make_study, steps
from spoilt import SURFACE, spoilt, written

FEW, MANY = 60, 1000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "_SHORTEST", -1.0)


def assert_answers(folder: Path) -> int:
    """Every page is an answer; how many of them say that their folder is odd."""
    odd = 0
    api = Api(Index(folder))
    listed = api.list("en", "")
    assert listed is not None
    for row in json.loads(listed)["rows"]:
        answer = (api.study if row["kind"] == "study" else api.run)(row["id"], "zh", "")
        assert answer is not None
        odd += "error" in json.loads(answer)
        if row["kind"] == "run":
            assert api.compare((row["id"],), "en", "") is not None
    return odd


@pytest.mark.parametrize(
    ("first", "count"), [(0, FEW), pytest.param(FEW, MANY - FEW, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_no_journal_is_an_error_of_the_server(tmp_path: Path, first: int, count: int) -> None:
    """And hardly one page in twenty says that there is nothing to show."""
    odd = 0
    run, study = make_run(tmp_path / "run"), make_study(tmp_path / "study")
    plain = [*course(), LAYERS, SURFACE]
    told = [json.loads(line) for line in (study / "journal.jsonl").read_text().splitlines()]
    for number in range(first, first + count):
        draw = random.Random(number)
        chance = draw.choice([0.01, 0.05, 0.2])
        (run / "journal.jsonl").write_text(written([spoilt(record, draw, chance) for record in plain]))
        (study / "journal.jsonl").write_text(written([spoilt(record, draw, chance) for record in told]))
        odd += assert_answers(tmp_path)
    assert odd <= count / 10


@pytest.mark.parametrize("seed", range(20))
def test_no_design_of_a_study_is_either(tmp_path: Path, seed: int) -> None:
    study = make_study(tmp_path / "study")
    design = json.loads((study / "study.json").read_text())
    (study / "study.json").write_text(json.dumps(spoilt(design, random.Random(seed), 0.3)))
    assert_answers(tmp_path)


def test_the_journals_that_once_were(tmp_path: Path, cases_root: Path) -> None:
    found = sorted((cases_root / "trust").glob("journal-*"))
    assert found
    for case in found:
        shutil.copytree(case, tmp_path / case.name)
    assert_answers(tmp_path)


def test_lines_passed_over_are_counted(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [steps(1, [1.0]), {"kind": "resume", "step": "x"}, {"kind": "steps", "first": []}])
    history = RunHistory.read(run / "journal.jsonl")
    assert history.loss == [1.0]
    assert history.skipped == 2


def test_a_long_journal_is_read_in_pieces_and_keeps_no_other_page_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_module, "_MOST_READ", 2**20)
    long: list[Record] = [steps(1 + 1000 * at, [1.0] * 1000) for at in range(800)]
    make_run(tmp_path / "long", long)
    make_run(tmp_path / "short")
    api = Api(Index(tmp_path))
    ids = {row["name"]: row["id"] for row in json.loads(api.list("en", "") or b"")["rows"]}
    first = json.loads(api.run(ids["long"], "en", "") or b"")
    assert "still being read" in first["done"]
    seen = [first["version"]]
    while page := api.run(ids["long"], "en", seen[-1]):
        seen.append(json.loads(page)["version"])
        assert len(seen) < 10
    assert "behind" not in json.loads(api.run(ids["long"], "en", "") or b"")
    assert "800,000 steps" in json.loads(api.run(ids["long"], "en", "") or b"")["done"]

    entered, go_on = threading.Event(), threading.Event()

    def slow(info: Any) -> dict[str, Any]:
        if info.name == "long":
            entered.set()
            go_on.wait(30)
        return {"name": info.name}

    monkeypatch.setattr(api_module, "run_page", slow)
    waiting: Callable[[], object] = lambda: Api.run(api, ids["long"], "zh", "")  # noqa: E731
    thread = threading.Thread(target=waiting)
    thread.start()
    assert entered.wait(30)
    begin = time.monotonic()
    assert api.run(ids["short"], "zh", "") is not None
    assert api.list("zh", "") is not None
    assert time.monotonic() - begin < 25
    go_on.set()
    thread.join()


@pytest.mark.parametrize("kind", ["run", "study"])
def test_damaged_lines_are_counted_on_the_page(kind: str, tmp_path: Path) -> None:
    place = make_run(tmp_path / "it") if kind == "run" else make_study(tmp_path / "it")
    with (place / "journal.jsonl").open("a") as journal:
        journal.write("{broken\n" * 3 + '{"kind": "member", "seed": "x"}\n')
    api = Api(Index(tmp_path))
    (row,) = json.loads(api.list("en", "") or b"")["rows"]
    answer = api.run if kind == "run" else api.study
    assert "damaged lines of its journal passed over: 4" in json.loads(answer(row["id"], "en", "") or b"")["done"]
    assert "损坏的 4 行" in json.loads(answer(row["id"], "zh", "") or b"")["done"]


def test_the_long_journal_of_a_study_is_read_in_pieces_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_module, "_MOST_READ", 2**20)
    monkeypatch.setattr(api_module, "_SHORTEST", -1.0)
    place = make_study(tmp_path / "study")
    whole = (place / "journal.jsonl").read_text()
    filler = json.dumps({"kind": "choices", "made": {"text": "x" * 10_000}}) + "\n"
    (place / "journal.jsonl").write_text(filler * 600 + whole)
    api = Api(Index(tmp_path))
    (row,) = json.loads(api.list("en", "") or b"")["rows"]
    pages = [json.loads(api.study(row["id"], "en", "") or b"")]
    assert "still being read" in pages[0]["done"]
    while page := api.study(row["id"], "en", pages[-1]["version"]):
        pages.append(json.loads(page))
        assert len(pages) < 12
    assert len(pages) > 4
    assert "behind" not in pages[-1]
    assert pages[-1]["best"]

    read_anew: list[int] = []
    new = Follower.new

    def counted(follower: Follower, most: int | None = None) -> list[dict[str, Any]]:
        records = new(follower, most)
        read_anew.append(len(records))
        return records

    monkeypatch.setattr(Follower, "new", counted)
    with (place / "journal.jsonl").open("a") as journal:
        journal.write('{"kind": "done", "seconds": 2.0}\n')
    api.study(row["id"], "en", "")
    assert read_anew == [1]
