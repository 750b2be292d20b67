"""The playground: what a move trains, what it is compared with, and what is refused."""

import ast
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

import danlu
from danlu.base.errors import UserError
from danlu.base.words import speaking
from danlu.cli.main import main
from danlu.lab.play.ground import SIDE
from danlu.lab.play.playground import Playground
from danlu.lab.play.settings import SEEDS
from danlu.lab.play.takeaway import comparison
from playing import ended, moved, write_points


@pytest.fixture
def circles() -> Any:
    playground = Playground("circles")
    yield playground
    playground.close()


@pytest.mark.slow
def test_hidden_layers_are_a_help_on_circles(circles: Playground) -> None:
    first = moved(circles, depth=0)
    assert "help" not in first
    told = moved(circles, depth=2, width=8)
    assert told["help"]["verdict"] == "better"
    assert told["help"]["change"] == "hidden layers: 0 → 2, units per layer: 4 → 8"
    assert told["help"]["answer"] == "Yes, it helps."
    assert "1" in told["help"]["note"]
    assert moved(circles, depth=0)["help"]["verdict"] == "worse"


@pytest.mark.slow
def test_a_setting_that_changes_nothing_is_no_help(circles: Playground) -> None:
    """Without hidden layers there is nothing to drop, nothing to activate and nothing to be wide."""
    moved(circles, depth=0)
    for changed in ({"depth": 0, "dropout": 0.5}, {"depth": 0, "width": 32}, {"depth": 0, "activation": "relu"}):
        told = moved(circles, **changed)
        assert told["help"]["verdict"] in ("no difference", "undecided")
        assert not told["help"]["answer"].startswith("Yes")


@pytest.mark.slow
def test_comparisons_are_counted_and_other_data_are_not_compared(circles: Playground) -> None:
    moved(circles, depth=0)
    assert "Comparison 1 of" in moved(circles, depth=0, lr=0.01)["help"]["note"]
    other = moved(circles, depth=0, lr=0.01, noise=0.3)["help"]
    assert (other["verdict"], other["numbers"]) == ("none", "")
    assert "not comparable" in other["answer"]
    again = moved(circles, depth=0, lr=0.03, noise=0.3)["help"]
    assert "Comparison 2 of" in again["note"]
    same = circles.now(0, 0, 0)
    assert same["help"] == again
    circles.move(circles.form()["chosen"])  # what is chosen already is no move
    assert circles.now(0, 0, 0)["help"] == again


@pytest.mark.slow
def test_the_picture_is_what_the_nets_say(circles: Playground, tmp_path: Path) -> None:
    told = moved(circles, depth=2, width=8)
    picture = told["picture"]
    votes = torch.tensor(picture["votes"]).view(SIDE, SIDE)
    assert (picture["nets"], picture["epoch"], picture["epochs"]) == (32, 80, 80)
    assert 0 <= int(votes.min()) <= int(votes.max()) <= len(SEEDS)
    centre, corner = votes[SIDE // 2, SIDE // 2], votes[0, 0]
    assert (int(centre), int(corner)) == (32, 0)  # A is the inner circle
    other = circles.now(0, 0, 1)["picture"]
    assert [a + b for a, b in zip(picture["votes"], other["votes"], strict=True)] == [32] * SIDE**2
    run = danlu.fit(recipe=tomllib.loads(told["recipe"]["toml"]), folder=tmp_path / "run", progress=False)
    (first, low, high), (second, bottom, top) = told["axes"]
    assert (first, second) == ("x", "y")
    place = {"x": [low + (high - low) * 20 / 39], "y": [top - (top - bottom) * 20 / 39]}
    assert run.predict(place).tolist() == ["A"]
    assert len(told["points"]) == 300 + 180


@pytest.fixture(scope="module")
def taken() -> Any:
    """What is told at the end of a move with every setting in it, and the members that it trained."""
    playground = Playground("circles")
    told = moved(playground, depth=2, width=8, dropout=0.1, weight_decay=0.001, batch_size=32, noise=0.3)
    assert playground._last is not None
    yield told["recipe"], playground._last.members
    playground.close()


@pytest.mark.slow
@pytest.mark.every(3)
@pytest.mark.parametrize(("way", "seed"), [("toml", 0), ("command", 7), ("python", 31)])
def test_what_is_taken_away_trains_the_same(
    taken: Any, way: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the tolerance of a stack: its products round other last digits than those of one net alone."""
    monkeypatch.chdir(tmp_path)
    away, members = taken
    if way == "command":
        assert main([*shlex.split(away["command"])[1:], f"train.seed={seed}", "--folder", "run"]) == 0
        run = danlu.Run("run")
    else:
        called = next(node for node in ast.walk(ast.parse(away["python"])) if isinstance(node, ast.keyword))
        recipe = tomllib.loads(away["toml"]) if way == "toml" else ast.literal_eval(called.value)
        run = danlu.fit(recipe=recipe, seed=seed, folder="run", progress=False)
    own = run.score["validation"]
    assert own["accuracy"] == pytest.approx(members[seed].score["accuracy"], abs=1e-12)
    assert own["loss"] == pytest.approx(members[seed].score["loss"], rel=1e-4)


def test_what_is_not_decided_is_compared_with_more_seeds_by_one_command(circles: Playground, tmp_path: Path) -> None:
    before = circles.form()["chosen"]
    recipe = circles._recipe(circles._plane, before)
    command = comparison(recipe, before, {**before, "lr": 0.1}, 20)
    assert command is not None
    assert command.endswith("--vary optim.lr=0.03,0.1 --seeds 52")
    words = [*shlex.split(command)[1:-1], "3", "--folder", str(tmp_path / "study"), "train.epochs=2"]
    assert main(words) == 0
    assert len(danlu.Study(tmp_path / "study").members) == 6
    assert comparison(recipe, before, {**before, "depth": 2}, 20) is None
    assert comparison(recipe, before, {**before, "lr": 0.1, "dropout": 0.1}, 20) is None


def test_a_new_move_breaks_off_the_old_one(circles: Playground) -> None:
    circles.move({**circles.form()["chosen"], "depth": 4, "width": 32, "batch_size": 1})
    for width in (1, 2, 3):
        circles.move({**circles.form()["chosen"], "depth": 1, "width": width, "batch_size": 64})
    told = ended(circles)
    assert told["move"] == 4
    assert "help" not in told  # nothing before it was trained to its end


@pytest.mark.slow
def test_a_table_is_played_with(tmp_path: Path) -> None:
    playground = Playground(write_points(tmp_path / "points.csv"), "class", ["a,b"])
    try:
        form = playground.form()
        assert (form["name"], form["task"]) == ("points.csv", "classification")
        assert form["samples"] == {"train": 60, "validation": 36}
        assert "shape" not in form["offered"]
        told = moved(playground, depth=2)
        assert [name for name, *_ in told["axes"]] == ["a", "b"]
        assert told["classes"] == ["in", "out"]
        assert str(tmp_path / "points.csv") in told["recipe"]["toml"]
        run = danlu.fit(recipe=tomllib.loads(told["recipe"]["toml"]), folder=tmp_path / "run", progress=False)
        assert playground._last is not None
        assert run.score["validation"]["accuracy"] == playground._last.members[0].score["accuracy"]
    finally:
        playground.close()


def test_a_number_is_predicted(tmp_path: Path) -> None:
    playground = Playground(write_points(tmp_path / "points.csv"), "price", ["a", "b"])
    try:
        told = moved(playground, depth=0, lr=0.1)
        votes = torch.tensor(told["picture"]["votes"]).view(SIDE, SIDE)
        assert int(votes[-1, -1]) == 32  # 3 a - b is largest where a is large and b small
        assert int(votes[0, 0]) == 0
        assert "R²" in told["score"]
    finally:
        playground.close()


def test_several_classes_are_shown_one_against_the_others() -> None:
    playground = Playground("iris", None, ["petal length (cm),petal width (cm)"])
    try:
        told = moved(playground, depth=1)
        pictures = [playground.now(0, 0, shown)["picture"] for shown in range(3)]
        assert len(told["classes"]) == 3
        assert [sum(votes) for votes in zip(*(one["votes"] for one in pictures), strict=True)] == [32] * SIDE**2
    finally:
        playground.close()


@pytest.mark.parametrize(
    ("source", "target", "columns", "words"),
    [
        ("points.csv", "class", ["a,nope"], ("nope",)),
        ("points.csv", "class", ["a,colour"], ("colour", "--columns")),
        ("points.csv", "class", ["a"], ("--columns",)),
        ("points.csv", "class", None, ("--columns", "colour")),
        ("points.csv", None, ["a,b"], ("class",)),
        ("points.csv", "nope", ["a,b"], ("nope",)),
        ("points.csv", "class,price", ["a,b"], ()),
        ("one.csv", "y", ["a,b"], ("one.csv",)),
        ("few.csv", "class", ["a,b"], ("few",)),
        ("digits", None, None, ("digits",)),
        ("moons", "class", None, ("moons", "--target")),
        ("moons", None, ["x,y"], ("moons", "--columns")),
        ("nowhere.csv", "y", ["a,b"], ("nowhere.csv",)),
    ],
)
def test_data_that_are_no_points_are_refused(
    source: str, target: str | None, columns: list[str] | None, words: tuple[str, ...], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_points(tmp_path / "points.csv")
    write_points(tmp_path / "few.csv", rows=20)
    (tmp_path / "one.csv").write_text("a,b,y\n" + "".join(f"{row},{row % 7},same\n" for row in range(60)))
    for language in ("en", "zh"):
        with speaking(language), pytest.raises(UserError, match=r".") as refused:
            Playground(source, target, columns)
        with speaking(language):
            told = str(refused.value)
        assert all(word in told for word in words), told


@pytest.mark.parametrize(
    "changed",
    [
        {"depth": 5}, {"depth": True}, {"depth": "1"}, {"lr": float("nan")}, {"lr": None}, {"shape": "digits"},
        {"more": 1}, {"activation": ["relu"]}, {"batch_size": 10**400}, {"noise": -0.1},
    ],
)  # fmt: skip
def test_what_was_not_offered_is_refused(circles: Playground, changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="offered"):
        circles.move({**circles.form()["chosen"], **changed})
    assert circles._thread is None


def test_what_fails_is_told_and_the_next_move_is_trained(circles: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("not this one")

    with monkeypatch.context() as patch:
        patch.setattr("danlu.lab.play.playground.train_seeds", broken)
        with pytest.raises(UserError, match="not this one"):
            moved(circles, depth=1)
    assert moved(circles, depth=0)["ready"]


def test_nothing_is_written_and_no_generator_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    playground = Playground("xor")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    moved(playground, depth=1)
    playground.close()
    assert torch.equal(before, torch.get_rng_state())
    assert not list(tmp_path.iterdir())
