"""Runs that are damaged, unreadable or hostile: the others are shown all the same, and nothing hangs or leaks."""

import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from danlu.serve import api as api_module
from danlu.serve.api import Api
from danlu.serve.index import Index
from danlu.store import journal
from dashboard_site import CANARY, FINDING, course, epoch_record, make_run, make_study, served, steps

WHOLE = "".join(json.dumps(record) + "\n" for record in course())
BROKEN = {
    "empty": "",
    "cut off in a line": WHOLE[:-40],
    "binary": "\x00\xff\xfe" * 1000,
    "no JSON": "<html>\nnot json\n{]\n",
    "no objects": '[1, 2]\n"text"\nnull\n3\n',
    "deep": "[" * 100_000 + "]" * 100_000 + "\n" + '{"kind": ' * 50_000 + "\n",
    "wrong types": '{"kind": "steps", "first": "x", "epoch": [], "loss": {}}\n{"kind": "finding"}\n{"kind": 7}\n',
    "numbers that are none": '{"kind": "steps", "first": 1, "epoch": 1, "loss": [NaN, 1e999], "lr": 0, "norm": null}\n',
    "huge numbers": '{"kind": "steps", "first": '
    + "9" * 400
    + ', "epoch": 1, "loss": [1.0], "lr": 0.1, "norm": null}\n',
    "huge layers": json.dumps({"kind": "layers", "step": 1, "names": ["a"] * 5, "spread": [1], "gradient": None})
    + "\n",
    "bad net": '{"kind": "net", "name": 3, "nodes": [{}], "edges": [["a"]]}\n',
    "bad surface": '{"kind": "surface", "xs": [1], "ys": "y", "losses": [[null]]}\n',
    "bad predictions": '{"kind": "predictions", "part": [], "classes": 3, "confusion": [[1, "x"]], "worst": [{}]}\n',
}


@pytest.mark.every(6)
@pytest.mark.parametrize("text", list(BROKEN.values()), ids=list(BROKEN))
def test_a_broken_journal_spoils_nothing_else(tmp_path: Path, text: str) -> None:
    make_run(tmp_path / "whole")
    run = make_run(tmp_path / "broken")
    for told in (text, WHOLE + text):
        (run / "journal.jsonl").write_bytes(told.encode("latin-1"))
        with served(tmp_path) as site:
            site.enter()
            assert {row["name"] for row in site.rows()} == {"whole", "broken"}
            assert len(site.run("whole")["findings"]) == 1
            assert site.run("broken")["name"] == "broken"
            both = f"{site.id_of('whole')},{site.id_of('broken')}"
            assert site.get(f"/api/compare?runs={both}").status == 200
            assert site.get(f"/api/run/{site.id_of('broken')}/net.svg").status in (200, 404)


def test_a_line_without_end_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One longer than a journal may hold, and than what is read at once, before the rest and after it."""
    monkeypatch.setattr(journal, "LONGEST_LINE", journal.LONGEST_LINE // 16)
    monkeypatch.setattr(api_module, "_MOST_READ", 2**19)
    run = make_run(tmp_path / "huge", [])
    line = '{"kind": "finding", "title": "' + "x" * 20 * 2**16 + '"}\n'
    told = json.dumps(steps(1, [2.0, 1.0])) + "\n" + json.dumps(FINDING | {"since": 1}) + "\n"
    (run / "journal.jsonl").write_text(line + told + line + json.dumps(epoch_record(1, 2, 0.5)) + "\n" + line)
    with served(tmp_path) as site:
        site.enter()
        (row,) = site.rows()
        assert row["state"] in ("running", "stopped")
        shown = site.run("huge")
        for _ in range(100):  # a page reads a bounded piece of a journal each time that it asks
            if ["validation · accuracy", "0.5000"] in shown["numbers"]:
                break
            time.sleep(0.02)
            shown = site.run("huge")
        assert [one["rule"] for one in shown["findings"]] == ["vanishing-gradient"]
        assert ["validation · accuracy", "0.5000"] in shown["numbers"]
        assert len(site.get(f"/api/run/{row['id']}").body) < 2**20


def test_a_broken_recipe_and_environment_are_shown_as_far_as_they_go(tmp_path: Path) -> None:
    run = make_run(tmp_path / "odd", recipe='[optim\nlr = "\x01')
    (run / "environment.json").write_text("[" * 100_000)
    with served(tmp_path) as site:
        site.enter()
        shown = site.run("odd")
        assert shown["recipe"].startswith("[optim")
        assert shown["environment"] == {}


@pytest.mark.every(2)
@pytest.mark.parametrize(
    "design", ["", "[]", "{}", '{"factors": 3}', '{"factors": {"a": 1}, "seeds": "x", "folds": "y"}', "[" * 100_000]
)
def test_a_broken_study_spoils_nothing_else(tmp_path: Path, design: str) -> None:
    make_run(tmp_path / "whole")
    study = make_study(tmp_path / "study")
    (study / "study.json").write_text(design)
    with served(tmp_path) as site:
        site.enter()
        assert {row["name"] for row in site.rows()} == {"whole", "study"}
        assert site.get(f"/api/study/{site.id_of('study')}").status == 200


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that every user of this machine may enter; the test runs as one who is not its owner."""
    place = Path(tempfile.mkdtemp(prefix="danlu-rights-")).resolve()
    place.chmod(0o755)
    yield place
    for folder, _, _ in os.walk(place):
        os.chmod(folder, stat.S_IRWXU)
    shutil.rmtree(place)


@pytest.fixture
def nobody(common: Path) -> Iterator[None]:
    """Root may read everything, so as root the test goes on as a user who owns nothing."""
    if os.name == "nt":
        pytest.skip("Windows knows other rights")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def forbidden(common: Path) -> Path:
    """A run that may be read; and by nobody: a run's folder, a run's journal, a folder of runs, a study's journal."""
    make_run(common / "open", recipe="[net]\nname = 'mlp'\n")
    for name in ("folder", "journal", "above"):
        make_run(common / name / "run" if name == "above" else common / name)
    make_study(common / "study")
    for path in (
        common / "folder",
        common / "journal" / "journal.jsonl",
        common / "above",
        common / "study" / "journal.jsonl",
    ):
        path.chmod(0)
    return common


def test_what_may_not_be_read_is_listed_as_such(forbidden: Path, nobody: None) -> None:
    api = Api(Index(forbidden))
    rows = {row["name"]: row for row in json.loads(api.list("en", "") or b"")["rows"]}
    assert {name: rows[name]["state"] for name in ("open", "folder", "journal", "above")} == {
        "open": "finished",
        "folder": "unreadable",
        "journal": "unreadable",
        "above": "unreadable",
    }
    assert rows["open"]["score"] == "0.7900"
    for name in ("folder", "journal", "above"):
        told = api.run(rows[name]["id"], "en", "")
        assert told is not None
        assert "Permission denied" in json.loads(told).get("error", "") or json.loads(told)["findings"] == []
        assert f"{CANARY} gradient norm".encode() not in told
    study = json.loads(api.study(rows["study"]["id"], "en", "") or b"")
    assert "Permission denied" in study["error"]
