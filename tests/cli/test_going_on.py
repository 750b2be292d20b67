"""`danlu fit RUN --epochs +20` and `danlu fit DATA --from RUN`, and what is typed wrongly about them."""

from pathlib import Path

import pytest

import danlu
from command_line import CHINESE, SOFTMAX, TABLE, Type, assert_refused, snapshot

SMALL = ("train.epochs=2", "train.batch_size=100")


@pytest.fixture
def parent(work: Path, type_in: Type) -> Path:
    assert type_in(*SOFTMAX, *SMALL, "--name", "parent", "--json").code == 0
    return Path("runs/parent")


@pytest.mark.every(2)
def test_a_run_is_trained_further(language: str, parent: Path, type_in: Type) -> None:
    whole = type_in(*SOFTMAX, "train.epochs=5", "train.batch_size=100", "--folder", "whole", "--json").json
    answer = type_in("fit", parent, "--epochs", "+3", "--name", "further", "--lang", language)
    assert answer.code == 0
    assert ("after epoch 2, up to epoch 5" if language == "en" else "第 2 轮之后，到第 5 轮") in answer.err
    shown = type_in("show", "runs/further", "--lang", language)
    said = "Trained further from runs/parent" if language == "en" else "接着 runs/parent 训练"
    assert said in answer.out
    assert said in shown.out
    further = type_in("show", "runs/further", "--json").json
    assert further["score"] == whole["score"]
    assert (further["epochs"], further["parent"]["name"]) == (5, "parent")


def test_settings_that_may_change_do(parent: Path, type_in: Type) -> None:
    words = ("--epochs=+2", "--schedule", "extended", "optim.lr=0.5", "schedule.name=cosine", "train.patience=7")
    recipe = type_in("fit", parent, *words, "--json").json["recipe"]
    assert (recipe["optim"]["lr"], recipe["train"]["patience"], recipe["train"]["epochs"]) == (0.5, 7, 4)
    assert recipe["schedule"]["name"] == "cosine"
    assert "restarts" not in recipe["schedule"]


@pytest.mark.every(2)
def test_data_that_were_moved_are_named(language: str, work: Path, type_in: Type) -> None:
    (work / "t.csv").write_text(TABLE)
    assert type_in(*SOFTMAX, "--data", "t.csv", "data.target=y", "train.epochs=1", "--folder", "run").code == 0
    (work / "t.csv").rename(work / "u.csv")
    refused = type_in("fit", "run", "--epochs", "+1", "--lang", language)
    assert_refused(refused, language, str(work / "t.csv"), "danlu fit run --epochs +1 --data")
    assert type_in("fit", "run", "--epochs", "+1", "--data", "u.csv", "--folder", "further").code == 0


@pytest.mark.every(2)
def test_other_data_begin_with_the_weights_of_a_run(language: str, work: Path, type_in: Type) -> None:
    (work / "t.csv").write_text(TABLE)
    (work / "u.csv").write_text(TABLE.replace("3,3,1", "3,3,2"))
    table = ("data.target=y", "train.epochs=2")
    assert type_in("fit", "t.csv", "--net", "mlp", "net.hidden=[7]", *table, "--folder", "parent").code == 0
    assert type_in("fit", "t.csv", "--from", "parent", *table, "optim.lr=0.5", "--folder", "tuned").code == 0
    tuned = danlu.Run("tuned")
    assert tuned.recipe.net.options["hidden"] == [7]
    assert tuned.recipe.optim.lr == 0.5
    assert tuned.parent is not None
    assert tuned.parent.folder == str(work / "parent")
    said = "Began with the weights of parent" if language == "en" else "初始权重来自 parent"
    assert said in type_in("show", "tuned", "--lang", language).out
    again = type_in("fit", "tuned/recipe.toml", "--json").json
    assert again["parent"] == type_in("show", "tuned", "--json").json["parent"]


MISTAKES = {
    "no epochs": (("runs/parent",), ("danlu fit runs/parent --epochs +20", "--from runs/parent")),
    "no plus": (("runs/parent", "--epochs", "20"), ("epochs = 20", '"+20"')),
    "no number": (("runs/parent", "--epochs", "+x"), ("epochs = +x", '"+20"')),
    "none": (("runs/parent", "--epochs", "+0"), ("epochs = +0", '"+20"')),
    "twice": (("runs/parent", "--epochs", "+20", "train.epochs=3"), ("train.epochs = 3", "20")),
    "no run": (("--epochs", "+20"), ("danlu fit RUN --epochs +20",)),
    "not there": (("gone", "--epochs", "+20"), ("gone",)),
    "called without its folder": (("parent", "--epochs", "+20"), ('"runs/parent"',)),
    "a file": (("t.csv", "--epochs", "+20"), ("t.csv",)),
    "a folder of runs": (("runs", "--epochs", "+20"), ("runs", "parent")),
    "data and no plus": (("digits", "--epochs", "20"), ("train.epochs=20",)),
    "two runs": (("runs/parent", "b", "--epochs", "+20"), ("b",)),
    "another net": (("runs/parent", "--epochs", "+20", "--net", "mlp"), ("--net", "--from")),
    "another setting": (("runs/parent", "--epochs", "+20", "train.batch_size=3"), ("train.batch_size", "optim.lr")),
    "no such setting": (("runs/parent", "--epochs", "+20", "optim.lrr=3"), ("optim.lrr", '"optim.lr"')),
    "another schedule": (("runs/parent", "--epochs", "+20", "--schedule", "cosine"), ("cosine", "restarted")),
    "a schedule alone": (("digits", "--schedule", "extended"), ("--schedule extended", "schedule.name=cosine")),
    "weights without data": (("--from", "runs/parent"), ("danlu fit", "--from runs/parent")),
    "weights and a net": (("digits", "--from", "runs/parent", "--net", "mlp"), ("--from runs/parent", "mlp")),
    "weights of nothing": (("digits", "--from", "gone"), ("gone",)),
    "weights by a name": (("digits", "--from", "parent"), ('"runs/parent"',)),
}


@pytest.mark.every(6)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence_in_either_language(
    name: str, language: str, work: Path, parent: Path, type_in: Type
) -> None:
    typed, words = MISTAKES[name]
    (work / "t.csv").write_text(TABLE)
    before = snapshot(work)
    assert_refused(type_in("fit", *typed, "--lang", language), language, *words)
    assert snapshot(work) == before


def test_help_tells_of_both(language: str, parent: Path, type_in: Type) -> None:
    told = type_in("fit", parent, "--help", "--lang", language)
    assert told.code == 0
    assert "danlu fit runs/lenet5-mnist-3f2a --epochs +20" in told.out
    assert "--from RUN" in told.out
    assert bool(CHINESE.search(told.out.replace("炉", ""))) == (language == "zh")


@pytest.mark.every(2)
def test_a_study_is_given_further_seeds(language: str, parent: Path, type_in: Type) -> None:
    words = ("compare", "--net", "softmax-regression", *SMALL, "--vary", "optim.lr=0.01,0.1", "--folder", "study")
    before = type_in(*words, "--seeds", "2", "--json").json
    after = type_in("resume", "study", "--more-seeds", "2", "--json").json
    assert after["members"][: len(before["members"])] == before["members"]
    assert sorted({member["seed"] for member in after["members"]}) == [0, 1, 2, 3]
    assert_refused(
        type_in("resume", "study", "--more-seeds", "some", "--lang", language), language, "--more-seeds some"
    )
    assert_refused(type_in("resume", parent, "--more-seeds", "2", "--lang", language), language, "--more-seeds")
