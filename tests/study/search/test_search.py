"""A search: finds what a grid finds with fewer trainings, goes on after a kill, and touches the test part once."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy
import pytest
from rich.console import Console

import danlu
from danlu.base.errors import UserError
from danlu.run.interrupt import Interrupted
from danlu.store.journal import read
from danlu.study.search import rounds
from danlu.study.search.proposals import proposed
from danlu.study.search.ranges import Range
from danlu.study.search.result import Search
from danlu.study.search.search import go_on_searching, sought
from danlu.view.search import print_search

RATE = {"lr": (1e-5, 10.0)}
SMALL: dict[str, Any] = {"net": "softmax-regression", "data": "iris", "space": RATE, "epochs": 8, "progress": False}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Search:
    return danlu.search(**SMALL, trainings=16, seeds=2, folder=tmp_path_factory.mktemp("search"))


@pytest.mark.slow
def test_a_good_rate_is_found_on_digits_with_fewer_full_trainings_than_a_grid(tmp_path: Path) -> None:
    grid = danlu.compare(
        "mlp",
        "digits",
        vary={"lr": [10.0**power for power in range(-5, 2)]},
        seeds=1,
        epochs=8,
        folder=tmp_path / "grid",
        progress=False,
    )
    searched = danlu.search(
        "mlp", "digits", space=RATE, trainings=24, epochs=8, folder=tmp_path / "searched", progress=False
    )
    assert searched.best is not None
    assert grid.best is not None
    full = [trial for trial in searched.trials if trial.state == "finished"]
    assert len(full) < len(grid.members)
    assert searched.best.validation["accuracy"] >= grid.best.validation["accuracy"]
    assert searched.best.test["accuracy"] > 0.9


def test_rounds_go_to_where_the_best_ones_lie() -> None:
    lr = Range("optim.lr", 1e-5, 10.0, log=True, whole=False)
    first = proposed([lr], [], 16, seed=0)
    assert proposed([lr], [], 16, seed=0) == first != proposed([lr], [], 16, seed=1)
    decades = Counter(int(numpy.floor(numpy.log10(point["optim.lr"]))) for point in first)
    assert max(decades.values()) <= 4
    ranked = sorted(first, key=lambda point: abs(numpy.log10(point["optim.lr"] / 0.03)))
    second = proposed([lr], ranked, 16, seed=0)
    distances = [
        numpy.mean([abs(numpy.log10(point["optim.lr"] / 0.03)) for point in points]) for points in (first, second)
    ]
    assert distances[1] < distances[0]
    assert proposed([lr], ranked, 16, seed=0) == second


def test_nothing_is_tried_twice_and_a_small_space_comes_to_its_end(tmp_path: Path) -> None:
    found = danlu.search(
        "mlp", "iris", space={"net.depth": (1, 3)}, trainings=16, epochs=1, folder=tmp_path / "s", progress=False
    )
    assert sorted(trial.factors["net.depth"] for trial in found.trials) == [1, 2, 3]
    assert found.best is not None


def test_whole_numbers_are_proposed_whole() -> None:
    size = Range("train.batch_size", 8, 64, log=False, whole=True)
    points = proposed([size], [], 8, seed=0)
    points += proposed([size], points, 8, seed=0)
    assert all(isinstance(point["train.batch_size"], int) for point in points)
    assert all(8 <= point["train.batch_size"] <= 64 for point in points)


def test_every_trial_has_its_members_and_the_worse_half_made_way(found: Search) -> None:
    assert len(found.trials) == 8
    assert all(len(trial.members) == 2 for trial in found.trials)
    assert Counter(trial.epochs for trial in found.trials) == {1: 4, 2: 2, 4: 1, 8: 1}
    assert [trial.state for trial in found.ranked] == ["finished"] + ["dropped"] * 7
    assert found.table().shape[0] == 8


def test_the_best_is_chosen_by_validation_and_scored_once(found: Search) -> None:
    assert found.best is not None
    assert found.best.factors == found.ranked[0].factors
    assert found.best.recipe.data.refit
    assert found.best.recipe.optim.lr == found.best.factors["optim.lr"]
    assert danlu.Run(found.best.run).score.keys() == {"train", "test"}
    records = list(read(found.folder / "journal.jsonl"))
    assert [record["kind"] for record in records].count("best") == 1
    assert all("test" not in record.get("score", {}) for record in records)
    assert (found.folder / "best.toml").is_file()


def test_the_object_for_json_is_plain(found: Search) -> None:
    record = json.loads(json.dumps(found.as_dict()))
    assert {"study", "search", "trials", "best", "trainings", "full_trainings", "seconds"} <= record.keys()
    assert record["seconds"] > record["loading_seconds"] > 0
    assert record["trainings"] == 16
    assert record["full_trainings"] == 2


def whole_and_cut(tmp_path: Path, keep: int) -> tuple[Search, Search]:
    """A search left alone, and one whose journal was cut off after `keep` lines and that went on."""
    whole = danlu.search(**SMALL, trainings=32, folder=tmp_path / "whole")
    danlu.search(**SMALL, trainings=32, folder=tmp_path / "cut")
    journal = tmp_path / "cut" / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:keep]) + lines[keep][:20])
    return whole, go_on_searching(tmp_path / "cut", progress=False)


@pytest.mark.parametrize("keep", [12, *(pytest.param(keep, marks=pytest.mark.slow) for keep in (1, 30))])
def test_a_search_killed_anywhere_goes_on_and_ends_the_same(tmp_path: Path, keep: int) -> None:
    whole, again = whole_and_cut(tmp_path, keep)
    assert again.finished
    assert again.rounds == whole.rounds == 4
    assert [trial.factors for trial in again.trials] == [trial.factors for trial in whole.trials]
    assert [trial.score for trial in again.trials] == [pytest.approx(trial.score) for trial in whole.trials]
    assert again.best is not None
    assert whole.best is not None
    assert again.best.factors == whole.best.factors


def test_the_same_call_goes_on_too_and_a_finished_search_is_left_alone(tmp_path: Path, found: Search) -> None:
    first = danlu.search(**SMALL, trainings=8, folder=tmp_path / "s")
    before = (first.folder / "journal.jsonl").read_bytes()
    danlu.search(**SMALL, trainings=8, folder=tmp_path / "s")
    assert (first.folder / "journal.jsonl").read_bytes() == before
    with pytest.raises(UserError, match="another study"):
        danlu.search(**SMALL, trainings=16, folder=tmp_path / "s")


def test_what_cannot_be_stacked_is_searched_one_by_one(tmp_path: Path) -> None:
    settings: dict[str, Any] = SMALL | {"epochs": 2, "optim.name": "rprop"}
    result = danlu.search(**settings, trainings=4, folder=tmp_path / "s")
    assert [trial.state for trial in result.trials] == ["finished"] * 4
    assert result.best is not None


def test_trials_of_different_structure_are_stacked_apart(tmp_path: Path) -> None:
    result = danlu.search(
        "mlp",
        "iris",
        space={"net.depth": (1, 2), "lr": (1e-3, 1)},
        trainings=8,
        epochs=2,
        folder=tmp_path / "s",
        progress=False,
    )
    assert {trial.factors["net.depth"] for trial in result.trials} == {1, 2}
    assert all(isinstance(trial.factors["net.depth"], int) for trial in result.trials)


def test_a_trial_that_cannot_be_built_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    result = danlu.search(
        "mlp", "iris", space={"batch_size": "90..125"}, trainings=8, epochs=2, folder=tmp_path / "s", progress=False
    )
    failed = [trial for trial in result.trials if trial.state == "failed"]
    assert failed
    assert all(trial.factors["train.batch_size"] > 105 for trial in failed)
    assert all("train.batch_size" in trial.reason for trial in failed)
    assert result.best is not None


def test_where_everything_diverges_nothing_is_called_best(tmp_path: Path) -> None:
    result = danlu.search(
        "linear-regression",
        "diabetes",
        space={"lr": (1e7, 1e9)},
        trainings=4,
        epochs=2,
        folder=tmp_path,
        progress=False,
    )
    assert result.finished
    assert result.best is None
    assert {trial.state for trial in result.trials} == {"diverged"}


def test_no_round_begins_that_the_minutes_would_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(float(second) for second in range(0, 100_000, 40))
    monkeypatch.setattr(rounds.time, "monotonic", lambda: next(clock))
    result = danlu.search(**SMALL, trainings=64, minutes=3, folder=tmp_path / "s")
    assert 1 <= result.rounds < 4
    assert result.best is not None


def test_an_interruption_names_the_search_and_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = rounds.Order.carry_out

    def stopped(*arguments: Any) -> bool:
        return False

    monkeypatch.setattr(rounds.Order, "carry_out", stopped)
    with pytest.raises(Interrupted, match="mine") as raised:
        danlu.search(**SMALL, trainings=8, folder=tmp_path / "mine")
    assert raised.value.saved
    told = io.StringIO()
    print_search(Console(file=told, width=200), Search(tmp_path / "mine").as_dict())
    assert "Not finished yet" in told.getvalue()
    monkeypatch.setattr(rounds.Order, "carry_out", original)
    assert go_on_searching(tmp_path / "mine", progress=False).best is not None


def test_a_plan_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quest, plan, _ = sought("mlp", "iris", space=RATE, trainings=64)
    assert quest.facts(plan)["rungs"] == [25, 50, 100]  # of the 200 epochs that befit 105 samples
    assert quest.facts(plan)["rounds"] == 4
    assert plan.members == 16
    assert list(tmp_path.iterdir()) == []


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trainings": 0}, "trainings is 0; it must be a whole number from 1"),
        ({"trainings": 3, "seeds": 2}, "a trial takes 2"),
        ({"minutes": 0}, "minutes is 0; it must be a number above 0"),
        ({"minutes": float("nan")}, "minutes is nan; it must be a number above 0"),
        ({"trainings": 0, "space": {"lr": "1..0.1"}}, r"(?s)must come first.*trainings is 0"),
        ({"metric": "acuracy"}, "no metric"),
        ({"seeds": 0}, "at least one seed"),
        ({"space": {"batch_size": "1000..2000"}}, "train.batch_size"),
    ],
)
def test_mistakes_are_told_and_nothing_is_left_behind(
    arguments: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        danlu.search(**SMALL | arguments)
    assert list(tmp_path.iterdir()) == []


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(UserError, match=r"pip install 'danlu\[search\]'"):
        danlu.search(**SMALL)
