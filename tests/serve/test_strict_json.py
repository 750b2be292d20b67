"""Every answer of the dashboard is JSON that a browser reads, whatever numbers a run or a study holds."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danlu.base.strict_json import to_json
from danlu.serve.api import Api
from danlu.serve.index import Index
from dashboard_site import LAYERS, PREDICTIONS, Record, course, make_run, make_study

NOT_FINITE = (math.nan, math.inf, -math.inf)
SURFACE = {"kind": "surface", "xs": [0.0, 1.0], "ys": [0.0, 1.0], "losses": [[1.0, 2.0], [3.0, 4.0]]}


def strict(text: str | bytes | None) -> Any:
    """The answer, read as a browser does."""

    def refused(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    assert text is not None
    return json.loads(text, parse_constant=refused)


def spoilt(record: Any, value: float) -> Any:
    """The same with every fraction in it not finite."""
    if isinstance(record, dict):
        return {key: spoilt(entry, value) for key, entry in record.items()}
    if isinstance(record, list):
        return [spoilt(entry, value) for entry in record]
    return value if isinstance(record, float) else record


def bare(records: list[Record]) -> str:
    """As danlu 0.1 and other writers may have left them."""
    return "".join(json.dumps(record) + "\n" for record in records)


def spelt(records: list[Record]) -> str:
    return "".join(to_json(record) + "\n" for record in records)


@pytest.fixture(params=NOT_FINITE, ids=str)
def value(request: pytest.FixtureRequest) -> float:
    return request.param


@pytest.mark.parametrize("written", [bare, spelt])
def test_every_answer_is_strict(tmp_path: Path, value: float, written: Callable[[list[Record]], str]) -> None:
    records = [spoilt(one, value) for one in (*course(), LAYERS, PREDICTIONS, SURFACE)]
    for name, part in (("ended", records), ("going", records[:7]), ("healthy", course())):
        run = make_run(tmp_path / name, [], recipe="[net]\nname = 'mlp'\n\n[optim]\nlr = inf\n")
        (run / "journal.jsonl").write_text(written(part))
        (run / "environment.json").write_text('{"torch": NaN}')
    study = make_study(tmp_path / "study")
    lines = [json.loads(line) for line in (study / "journal.jsonl").read_text().splitlines()]
    (study / "journal.jsonl").write_text(written([spoilt(line, value) for line in lines]))
    design = json.loads((study / "study.json").read_text())
    (study / "study.json").write_text(json.dumps(design | {"margin": value, "metric": None}))
    api = Api(Index(tmp_path))
    for language in ("en", "zh"):
        rows = {row["name"]: row for row in strict(api.list(language, ""))["rows"]}
        assert rows.keys() == {"ended", "going", "healthy", "study"}
        assert rows["ended"]["score"] in ("nan", "∞", "-∞")
        runs = [rows[name]["id"] for name in ("ended", "going", "healthy")]
        for id in runs:
            assert "error" not in strict(api.run(id, language, ""))
        assert "error" not in strict(api.compare(tuple(runs), language, ""))
        assert strict(api.study(rows["study"]["id"], language, ""))["name"] == "study"


@pytest.mark.parametrize("written", [bare, spelt])
def test_both_spellings_are_read_alike(tmp_path: Path, written: Callable[[list[Record]], str]) -> None:
    run = make_run(tmp_path / "run", [])
    (run / "journal.jsonl").write_text(written([spoilt(one, math.inf) for one in course()]))
    api = Api(Index(tmp_path))
    (row,) = strict(api.list("en", ""))["rows"]
    assert row["score"] == "∞"
    assert row["state"] == "diverged"
