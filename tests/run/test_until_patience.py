"""A training with a patience and no number of epochs goes on while it improves."""

from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.recipe import Recipe
from danlu.base.recipe_values import MOST_EPOCHS
from danlu.run.listeners.text_samples import spread_epochs
from danlu.run.settings.usual import until_patience_is_spent
from danlu.store.journal import read
from interruption import assert_same_end, interrupt_at

STILL: dict[str, Any] = {"patience": 2, "lr": 1e-12}  # the first epoch stays the best one


def test_it_goes_on_until_patience_is_spent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = danlu.fit("mlp", "digits", folder=tmp_path / "run", **STILL)
    told = capsys.readouterr().err
    assert "goes on until the validation score has not improved for 2 epochs" in told
    assert "epoch 3  loss" in told
    assert str(MOST_EPOCHS) not in told
    assert "left" not in told
    assert (run.epochs, run.as_dict()["stopped_early"]) == (3, True)
    assert next(read(run.folder / "journal.jsonl"))["epochs"] == 0, "not known"
    assert danlu.fit(recipe=run.folder / "recipe.toml", folder=tmp_path / "again", progress=False).epochs == 3


@pytest.mark.slow
def test_beyond_what_is_usual_while_it_improves(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"lr": 1e-4, "momentum": 0.0, "progress": False}
    x = [[float(number % 7), float(number % 5)] for number in range(200)]
    y = [3 * first - second for first, second in x]
    run = danlu.fit("linear-regression", (x, y), patience=3, folder=tmp_path / "run", **settings)
    usual = danlu.fit("linear-regression", (x, y), folder=tmp_path / "usual", **settings)
    assert run.epochs > usual.epochs
    assert run.as_dict()["stopped_early"]
    assert run.score["test"]["loss"] < usual.score["test"]["loss"]


def test_it_is_resumed_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = danlu.fit("mlp", "digits", folder=tmp_path / "whole", progress=False, **STILL)
    interrupt_at(monkeypatch, 100)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("mlp", "digits", folder=tmp_path / "broken", progress=False, **STILL)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


@pytest.mark.parametrize(
    "settings",
    [
        {"train": {"epochs": 7, "patience": 2}},
        {"train": {"epochs": 7}},
        {},
        {"train": {"patience": 2}, "schedule": {"name": "cosine"}},
    ],
)
def test_others_have_their_length(settings: dict[str, Any]) -> None:
    recipe = Recipe(**settings)
    assert until_patience_is_spent(recipe) == recipe


@pytest.mark.slow
def test_in_a_study_it_has_the_usual_length(tmp_path: Path) -> None:
    run = danlu.fit("softmax-regression", "iris", folder=tmp_path / "run", progress=False, **STILL)
    assert run.recipe.train.open_ended
    study = danlu.compare(
        recipe=run.folder / "recipe.toml",
        vary={"momentum": [0.0, 0.9]},
        seeds=1,
        lr=0.1,
        patience=1000,
        folder=tmp_path / "study",
        progress=False,
    )
    assert study.best is not None
    assert (study.best.recipe.train.epochs or 0) <= 200


def test_texts_come_at_growing_distances() -> None:
    assert sorted(spread_epochs(MOST_EPOCHS, 10))[:5] == [1, 2, 4, 8, 16]
