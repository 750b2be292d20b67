"""The clock as an attacker: set back and forth, in other time zones; what was begun last is last, and nothing took a
time below zero.
"""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import danlu
from attack.actions import QUIET
from command_line import Type
from danlu.run.interrupt import Interrupted
from danlu.serve.index import Index
from danlu.serve.summary import Summarizer
from danlu.store.turns import turn

HOUR = 3600.0
CLOCKS: dict[str, Callable[[int], float]] = {
    "set back an hour at every look": lambda looks: 1.7e9 - HOUR * looks,
    "set forth a year, and back": lambda looks: 1.7e9 + (31e6 if looks % 2 else 0),
    "standing still": lambda looks: 1.7e9,
    "at its end": lambda looks: 2.0**31 - looks,
}
ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati")


@pytest.fixture(params=CLOCKS)
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock that an attacker sets, in another zone at each look; durations have one that nobody sets."""
    looks, zones = itertools.count(), itertools.cycle(ZONES)
    before = os.environ.get("TZ")

    def now() -> float:
        os.environ["TZ"] = next(zones)
        time.tzset()
        return CLOCKS[request.param](next(looks))

    monkeypatch.setattr(time, "time", now)
    monkeypatch.setattr(time, "time_ns", lambda: round(now() * 1e9))
    yield
    monkeypatch.undo()
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def fit(folder: str) -> None:
    danlu.fit("softmax-regression", "iris", epochs=1, folder=folder, **QUIET)


def stopped(folder: str) -> None:
    def stop(*_: Any) -> None:
        raise Interrupted(folder, saved=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("danlu.run.training.train", stop)
        with pytest.raises(Interrupted, match="."):
            fit(folder)


def compare(folder: str) -> None:
    danlu.compare("softmax-regression", "iris", vary={"lr": [0.1, 1]}, seeds=1, epochs=1, folder=folder, **QUIET)


def search(folder: str) -> None:
    danlu.search("softmax-regression", "iris", space={"lr": (0.1, 1)}, trainings=8, epochs=2, folder=folder, **QUIET)


BEGUN: tuple[tuple[Callable[[str], object], str], ...] = (
    (fit, "runs/b"),
    (stopped, "runs/z"),
    (compare, "studies/d"),
    (fit, "runs/a"),
    (search, "studies/c"),
    (danlu.resume, "runs/z"),
    (fit, "runs/e"),
    (lambda folder: danlu.Study(folder).more(1, **QUIET), "studies/d"),
)


def backdated(folder: Path) -> None:
    """What the system would have written there with the attacker's clock."""
    for file in folder.rglob("journal.jsonl"):
        os.utime(file, (time.time(), time.time()))


def durations(record: Any) -> Iterator[float]:
    if isinstance(record, dict):
        yield from (value for key, value in record.items() if key in ("seconds", "loading") and value is not None)
        record = list(record.values())
    for inner in record if isinstance(record, list) else ():
        yield from durations(inner)


@pytest.mark.every(4)
def test_what_was_begun_last_is_last(clock: None, work: Path, type_in: Type) -> None:
    order: list[str] = []
    for begin, folder in BEGUN:
        begin(folder)
        backdated(work / folder)
        order = [folder, *(other for other in order if other != folder)]
        listed = [entry for entry in Index(work).entries() if entry.name in order]
        assert [entry.name for entry in listed] == order
        if folder.startswith("runs"):
            assert Path(type_in("show", "--json").json["run"]) == work / folder
    ends = {entry.name: entry.summary.state for entry in listed}
    assert set(ends.values()) == {"finished"}
    for journal in work.rglob("journal.jsonl"):
        told = [seconds for line in journal.read_text().splitlines() for seconds in durations(json.loads(line))]
        assert told and min(told) >= 0
    assert danlu.lr_find("softmax-regression", "iris", points=8, steps=8).seconds >= 0


def test_runs_of_0_1_have_their_place_in_the_order(work: Path, type_in: Type) -> None:
    for number, name in enumerate("cab"):
        fit(f"runs/{name}")
        os.utime(work / "runs" / name / "recipe.toml", (1e9 + number, 1e9 + number))
    assert [entry.name for entry in Index(work / "runs").entries()] == ["b", "a", "c"]
    fit("runs/aa")
    assert [entry.name for entry in Index(work / "runs").entries()][:2] == ["aa", "b"]
    (work / "runs" / "aa" / "recipe.toml").unlink()
    assert turn(work / "runs" / "aa" / "recipe.toml") == 0
    assert Path(type_in("show", "--json").json["run"]) == work / "runs/b"


@pytest.mark.parametrize(("age", "state"), [(0, "running"), (-HOUR, "stopped"), (HOUR, "stopped")])
def test_a_journal_from_the_future_is_not_running(age: float, state: str, tmp_path: Path) -> None:
    journal, recipe = tmp_path / "journal.jsonl", tmp_path / "recipe.toml"
    block = b'{"kind": "steps", "first": 1, "epoch": 1, "loss": [1.0], "lr": 0.1, "norm": null}\n'
    journal.write_bytes(block)
    summarizer, changed = Summarizer(journal, recipe), round((time.time() - age) * 1e9)
    assert summarizer.look(len(block), changed).state == state
    journal.write_bytes(block * 2)  # it grows, whatever time that is said to be
    assert summarizer.look(2 * len(block), changed).state == "running"
