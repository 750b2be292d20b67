"""danlu runs: what an expression picks on the command line, and the keys of --json, which stay."""

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import Type, assert_refused
from danlu.serve.api import Api
from danlu.serve.index import Index
from danlu.view.listing.query import ListQuery
from dashboard_site import RECIPE, make_run, make_study

RUN_KEYS = {
    "run": str, "name": str, "type": str, "state": str, "study": (str, type(None)), "epochs": int, "steps": int,
    "seconds": (int, float), "changed": (int, float), "score": dict, "settings": dict, "findings": list, "title": str,
    "tags": list, "star": bool, "note": str, "archived": bool,
}  # fmt: skip
SHOW_KEYS = {
    "run": str, "recipe": dict, "epochs": int, "steps": int, "seconds": (int, float), "loading_seconds": (int, float),
    "training_seconds": (int, float), "finished": bool, "stopped_early": bool, "diverged": bool,
    "diverged_since": (int, type(None)), "scored": dict, "score": dict, "findings": list,
    "by_epoch": list, "notes": dict, "time": dict,
}  # fmt: skip


@pytest.fixture
def runs(work: Path) -> Path:
    """Two runs of different rates, one of them with notes, and a study with its best run in it."""
    make_run(work / "runs" / "slow")
    make_run(work / "runs" / "fast", [], RECIPE.replace("lr = 0.05", "lr = 0.5"))
    make_run(make_study(work / "studies" / "rates") / "best-1")
    notes = {"title": "the good one", "tags": ["paper"], "star": True, "note": "why", "archived": True}
    (work / "runs" / "slow" / "notes.json").write_text(json.dumps(notes))
    return work


def told(answer: Any) -> list[dict[str, Any]]:
    assert answer.code == 0
    return answer.json["runs"]


def test_the_keys_of_json_stay(runs: Path, type_in: Type) -> None:
    found = told(type_in("runs", "--json"))
    assert len(found) == 4
    for row in found:
        assert row.keys() == RUN_KEYS.keys()
        assert all(isinstance(row[key], kind) for key, kind in RUN_KEYS.items()), row
    (slow,) = [row for row in found if row["name"] == "runs/slow"]
    assert slow["run"] == str(runs / "runs" / "slow")
    assert slow["score"]["test"] == {"loss": 0.61, "accuracy": 0.79}
    assert slow["settings"]["optim.lr"] == 0.05
    assert slow["findings"] == ["vanishing-gradient"]
    assert (slow["title"], slow["tags"], slow["archived"]) == ("the good one", ["paper"], True)
    assert [row["study"] for row in found if row["name"].endswith("best-1")] == ["studies/rates"]


def test_the_keys_of_show_stay(runs: Path, type_in: Type) -> None:
    shown = type_in("show", "runs/slow", "--json").json
    assert shown.keys() >= SHOW_KEYS.keys()
    assert all(isinstance(shown[key], kind) for key, kind in SHOW_KEYS.items())
    assert [epoch["validation"]["accuracy"] for epoch in shown["by_epoch"]] == [0.7, 0.8]
    assert shown["notes"]["title"] == "the good one"


WHERE = [
    "lr > 0.1",
    "finding = none",
    "finding = vanishing-gradient and type = run",
    "study != none",
    "tag = paper",
    "accuracy >= 0.79 or state = stopped",
    "slow",
    'not (net = "mlp")',
]


@pytest.mark.parametrize("where", WHERE)
def test_the_page_picks_the_same(runs: Path, type_in: Type, where: str) -> None:
    page = json.loads(
        Api(Index(runs, ["runs", "studies"])).list("en", "", ListQuery(where=where, archived=True)) or b""
    )
    assert page["matched"] == len(told(type_in("runs", "--json", "--where", where)))


def test_runs_are_sorted(runs: Path, type_in: Type) -> None:
    names = [row["name"] for row in told(type_in("runs", "runs", "--json", "--sort=-lr"))]
    assert names == ["fast", "slow"]
    assert [row["name"] for row in told(type_in("runs", "runs", "--json", "--sort", "optim.lr"))] == ["slow", "fast"]


def test_a_person_reads_a_table(runs: Path, type_in: Type, language: str) -> None:
    answer = type_in("runs", "--where", "lr = 0.05", "--lang", language)
    assert answer.code == 0
    assert "the good one" in answer.out
    assert "0.79" in answer.out
    assert ("finished" if language == "en" else "已完成") in answer.out


def test_what_is_wrong_is_told_with_its_place(runs: Path, type_in: Type, language: str) -> None:
    answer = type_in("runs", "--where", "mlp and optim.lrr > 1", "--lang", language)
    assert_refused(answer, language, "9", "optim.lrr", "optim.lr")
