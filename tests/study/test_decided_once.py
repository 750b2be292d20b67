"""What a stopwatch decided for a study stands in its folder, and is decided so again: to the last digit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.stack import Choices, StackTiming, choosing
from danlu.stack.convolution import Convolution
from danlu.store.journal import read
from danlu.study import costs, processes
from danlu.study.compare import go_on

PICTURES: dict[str, Any] = {"net": "lenet5", "data": "digits", "samples": 60, "epochs": 1, "batch_size": 10}


def study_in(folder: Path, **settings: Any) -> danlu.Study:
    given: dict[str, Any] = {**PICTURES, "vary": {"lr": [0.01, 0.1]}, "seeds": 3, "progress": False} | settings
    return danlu.compare(**given, folder=folder)


def scores(study: danlu.Study) -> dict[str, Any]:
    return {f"{member.factors} {member.seed} {member.fold}": dict(member.score) for member in study.members}


def decided(study: danlu.Study) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for record in read(study.folder / "journal.jsonl"):
        made |= record["made"] if record["kind"] == "choices" else {}
    return made


def fails(*_: object) -> Any:
    pytest.fail("timed again")


def turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the stopwatch would say otherwise, and memory is another."""
    monkeypatch.setattr(Convolution, "_faster", fails)
    monkeypatch.setattr(costs, "timed", fails)
    monkeypatch.setattr("danlu.stack.train.suggested_members", fails)
    monkeypatch.setattr("danlu.stack.train.cores", lambda: 7)


def cut_to(study: danlu.Study, members: int) -> None:
    """Its journal as a kill would have left it after so many members."""
    journal = study.folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    ends = [at for at, line in enumerate(lines) if json.loads(line)["kind"] == "member"]
    journal.write_text("".join(lines[: ends[members - 1] + 1]) + lines[ends[members]][:20])


@pytest.mark.every(3)
@pytest.mark.parametrize("members", [1, 3, 5])
def test_a_study_cut_short_ends_bit_for_bit_as_it_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: int
) -> None:
    monkeypatch.setattr("danlu.stack.train.cores", lambda: 2)
    whole = study_in(tmp_path / "study")
    before = scores(whole)
    assert any(name.startswith("convolution") for name in decided(whole))
    cut_to(whole, members)
    turned(monkeypatch)
    assert scores(go_on(tmp_path / "study", progress=False)) == before


@pytest.mark.slow
def test_more_seeds_are_decided_as_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danlu.stack.train.cores", lambda: 1)
    first = study_in(tmp_path / "study")
    turned(monkeypatch)
    further = first.more(3, progress=False)
    assert {name: score for name, score in scores(further).items() if name in scores(first)} == scores(first)
    assert len(further.members) == 12


@pytest.mark.every(2)
@pytest.mark.parametrize("stacked", [True, False])
def test_whether_stacks_are_faster_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stacked: bool
) -> None:
    asked: list[Sequence[int]] = []

    def timed(group: Any, seeds: Sequence[int], folds: int) -> StackTiming:
        asked.append(seeds)
        return StackTiming(stacked=1.0 if stacked else 3.0, alone=2.0, most_members=2)

    monkeypatch.setattr(costs, "_WORTH_TIMING", 0.0)
    monkeypatch.setattr(costs, "timed", timed)
    tabular = {"net": "softmax-regression", "data": "iris", "samples": None, "jobs": 1}
    study = study_in(tmp_path / "study", **tabular)
    before = scores(study)
    monkeypatch.setattr(costs, "timed", fails)
    cut_to(study, 3)
    again = go_on(tmp_path / "study", progress=False, jobs=1)
    assert scores(again) == before
    assert len(again.more(1, progress=False).members) == 8
    assert len(asked) == 1
    ran = (tmp_path / "study" / "members").is_dir()
    assert ran == (not stacked)


def test_the_number_of_processes_is_that_of_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: 4)
    with choosing(Choices()) as made:
        assert processes.chosen_jobs(None, 8, device="cpu", alone=lambda: (100.0, 100.0)).count == 4
        told = made.unsaid()
    with choosing(Choices(told)):
        later = processes.chosen_jobs(None, 1, device="cpu", alone=fails)
        assert later.count == 4
        assert "4" in str(later.why)
