"""What the page is told: the journal's own numbers, once however many ask, and only what is new."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from danlu.serve import api as api_module
from danlu.serve.api import Api
from danlu.serve.index import Index
from danlu.view.listing.query import ListQuery
from dashboard_site import CANARY, FINDING, course, epoch_record, make_run, make_study, steps

COUNT = 10_000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is answered anew."""
    monkeypatch.setattr(api_module, "_SHORTEST", -1.0)


def told(answer: bytes | None) -> Any:
    assert answer is not None
    return json.loads(answer)


def rows(api: Api) -> dict[str, Any]:
    return {row["name"]: row for row in told(api.list("en", ""))["rows"]}


def append(run: Path, *records: Any) -> None:
    with (run / "journal.jsonl").open("a") as journal:
        journal.writelines(json.dumps(record) + "\n" for record in records)


def test_the_list_tells_the_newest_of_each_run(tmp_path: Path) -> None:
    make_run(tmp_path / "done")
    make_run(tmp_path / "going", [steps(1, [2.0] * 30), epoch_record(1, 30, 0.7), steps(31, [1.0] * 5)])
    make_run(tmp_path / "new", [])
    make_study(tmp_path / "study")
    listed = rows(Api(Index(tmp_path)))
    assert (listed["done"]["state"], listed["done"]["score"], listed["done"]["part"]) == ("finished", "0.7900", "test")
    assert listed["done"]["cells"][:6] == ["mlp", CANARY, "0.05", "2", "60", "1"]
    assert (listed["going"]["state"], listed["going"]["cells"][3:5]) == ("running", ["1", "35"])
    assert (listed["going"]["score"], listed["going"]["part"]) == ("0.7000", "validation")
    assert (listed["new"]["cells"][4], listed["new"]["score"]) == ("", None)
    assert (listed["study"]["kind"], listed["study"]["state"]) == ("study", "finished")


def test_a_training_that_was_silent_for_long_is_not_running(tmp_path: Path) -> None:
    run = make_run(tmp_path / "killed", [steps(1, [2.0] * 30)])
    os.utime(run / "journal.jsonl", (time.time() - 3600, time.time() - 3600))
    assert rows(Api(Index(tmp_path)))["killed"]["state"] == "stopped"
    append(run, {"kind": "resume", "step": 30})
    assert rows(Api(Index(tmp_path)))["killed"]["state"] == "running"


def test_a_long_curve_keeps_every_extreme_number_as_it_is(tmp_path: Path) -> None:
    losses = [2.0 + (step * 7919 % 1000) / 1e4 for step in range(COUNT)]
    losses[1234], losses[8765] = 9.87654321, 0.01234567
    make_run(tmp_path / "long", [steps(1, losses)])
    api = Api(Index(tmp_path))
    page = told(api.run(rows(api)["long"]["id"], "en", ""))
    raw = next(mark for mark in page["charts"][0]["panels"][0]["marks"] if mark["type"] == "Line" and mark.get("faint"))
    points = dict(zip(raw["xs"], raw["ys"], strict=True))
    assert len(points) < 1000
    assert points[1235] == 9.87654321
    assert points[8766] == 0.01234567
    assert all(losses[int(step) - 1] == value for step, value in points.items())
    assert (raw["xs"][0], raw["xs"][-1]) == (1, COUNT)


def test_only_what_is_new_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path / "live", [steps(1, [2.0] * 10)])
    api = Api(Index(tmp_path))
    id = rows(api)["live"]["id"]
    first = told(api.run(id, "en", ""))
    assert api.run(id, "en", first["version"]) is None
    append(run, steps(11, [1.0] * 10), FINDING | {"since": 15})
    second = told(api.run(id, "en", first["version"]))
    assert "20 steps" in second["done"]
    assert [one["since"] for one in second["findings"]] == [15]
    assert api.run(id, "en", second["version"]) is None


def test_a_run_that_is_resumed_or_begun_anew_is_followed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [steps(1, [2.0] * 40), FINDING])
    api = Api(Index(tmp_path))
    id = rows(api)["run"]["id"]
    assert len(told(api.run(id, "en", ""))["findings"]) == 1
    append(run, {"kind": "resume", "step": 10}, steps(11, [1.0] * 5))
    resumed = told(api.run(id, "en", ""))
    assert "15 steps" in resumed["done"]
    assert resumed["findings"] == []
    (run / "journal.jsonl").write_text(json.dumps(steps(1, [3.0] * 7)) + "\n")
    assert "7 steps" in told(api.run(id, "en", ""))["done"]


def test_many_readers_cost_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "run")
    api = Api(Index(tmp_path))
    id = rows(api)["run"]["id"]
    made: list[str] = []
    monkeypatch.setattr(api_module, "_SHORTEST", 60.0)
    monkeypatch.setattr(api_module, "run_page", lambda info: made.append(info.name) or {"name": info.name})  # pyright: ignore[reportUnknownLambdaType, reportUnknownMemberType]
    assert len({api.run(id, "en", "") for _ in range(10)}) == 1
    assert made == ["run"]


def test_what_is_there_no_more_is_no_answer(tmp_path: Path) -> None:
    api = Api(Index(tmp_path))
    for ask in (api.run, api.study):
        with pytest.raises(KeyError, match="0123456789abcdef"):
            ask("0123456789abcdef", "en", "")


def test_trainings_of_a_study_have_its_settings_and_their_own_levels(tmp_path: Path) -> None:
    place = make_study(tmp_path / "study", seeds=2)
    design = json.loads((place / "study.json").read_text())
    recipe = {"net": {"name": "mlp"}, "data": {"name": "digits"}, "optim": {"lr": 0.5}}
    (place / "study.json").write_text(json.dumps(design | {"recipe": recipe}))
    api = Api(Index(tmp_path))
    query = ListQuery(columns=("net", "data", "lr"), opened=(rows(api)["study"]["id"],))
    members = [row["cells"] for row in told(api.list("en", "", query))["rows"] if row["kind"] == "member"]
    assert sorted(members) == [["mlp", "digits", rate] for rate in ("0.01", "0.01", "0.1", "0.1")]


def test_each_reader_is_answered_in_their_language(tmp_path: Path) -> None:
    make_run(tmp_path / "run", course())
    api = Api(Index(tmp_path))
    id = rows(api)["run"]["id"]
    assert "finished" in told(api.run(id, "en", ""))["done"]
    assert "已完成" in told(api.run(id, "zh", ""))["done"]


def test_the_moments_of_a_run_are_told_one_by_one(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    api = Api(Index(tmp_path))
    (id,) = (row["id"] for row in rows(api).values())
    moments = told(api.run(id, "en", ""))["moments"]
    assert [(one["label"], one["at"]["step"], one["at"]["epoch"]) for one in moments] == [
        ("epoch 1", 30, 1.0), ("epoch 2", 60, 2.0),
    ]  # fmt: skip
    first, second = (told(api.moment(id, at, "en")) for at in (0, 1))
    counts = [one["charts"][0]["panels"][0]["marks"][0]["texts"][1] for one in (first, second)]
    assert counts == [["", "2"], ["", "3"]]
    assert second["numbers"] == [["validation · loss", "0.2000"], ["validation · accuracy", "0.8000"]]
    assert first["text"] == [f"{CANARY} the", f" {CANARY}\n traveller"]
    assert told(api.moment(id, 0, "zh"))["charts"][0]["title"] == "混淆矩阵 · 验证集"
    for nothing in (-1, 2, 99_999):
        with pytest.raises(KeyError, match=str(nothing)):
            api.moment(id, nothing, "en")
