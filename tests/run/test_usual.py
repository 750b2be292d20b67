"""What danlu chooses where a recipe leaves it open: by the data alone, said, stored, and the same for every verb."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import danlu
from danlu.base.recipe import TrainRecipe
from danlu.base.recipe_text import read_recipe, to_toml
from danlu.nets import usual_training
from danlu.run.settings.draft import draft_recipe
from danlu.run.settings.usual import usual_epochs, usual_train
from danlu.run.setup import set_up
from danlu.store.journal import read
from interruption import interrupt_at

OTHER_SETTINGS: list[dict[str, Any]] = [
    {"lr": 0.1},
    {"momentum": 0.5},
    {"batch_size": 64},
    {"accumulate": 2},
    {"optim.name": "adam"},
    {"schedule.name": "cosine"},
    {"hidden": [8]},
    {"clip_norm": 1.0},
    {"seed": 3},
]


def arrays(samples: int) -> tuple["numpy.ndarray[Any, Any]", "numpy.ndarray[Any, Any]"]:
    generator = numpy.random.default_rng(0)
    x = generator.normal(size=(samples, 4))
    return x, (x[:, 0] + 0.5 * generator.normal(size=samples) > 0).astype(int)


@pytest.mark.parametrize(
    ("samples", "epochs"), [(1, 200), (100, 200), (320, 200), (640, 100), (1_258, 51), (3_200, 20), (54_000, 20)]
)
def test_few_samples_are_seen_more_often(samples: int, epochs: int) -> None:
    assert usual_epochs(samples) == epochs


@pytest.mark.parametrize(("held_out", "weights"), [(0, "last"), (29, "last"), (30, "best"), (5_000, "best")])
def test_the_best_epoch_is_chosen_only_by_enough_samples(held_out: int, weights: str) -> None:
    assert usual_train(TrainRecipe(), "sgd", 1_000, held_out).weights == weights


def test_early_stopping_and_what_the_user_says_stand() -> None:
    assert usual_train(TrainRecipe(patience=3), "sgd", 1_000, 5).scores_best
    named = TrainRecipe(epochs=7, batch_size=9, weights="last")
    assert usual_train(named, "sgd", 100, 100) == named


@pytest.mark.parametrize(
    ("train", "held_out", "patience", "epochs", "batch_size"),
    [
        (TrainRecipe(), 30, 16, 200, 64),
        (TrainRecipe(), 29, None, 64, 64),
        (TrainRecipe(epochs=9), 30, None, 9, 64),
        (TrainRecipe(weights="last"), 30, None, 64, 64),
        (TrainRecipe(patience=3, epochs=40, batch_size=8), 30, 3, 40, 8),
    ],
)
def test_a_net_brings_its_patience_where_nothing_else_is_said(
    train: TrainRecipe, held_out: int, patience: int | None, epochs: int, batch_size: int
) -> None:
    usual = usual_train(train, "adamw", 1_000, held_out, usual_training("tabm"))
    assert (usual.patience, usual.epochs, usual.batch_size) == (patience, epochs, batch_size)
    assert usual.ema == (0.97 if patience == 16 else None)
    assert usual.scores_best is (held_out >= 30 and train.weights is None)
    assert usual_train(usual, "adamw", 1_000, held_out, usual_training("tabm")) == usual
    named = usual_train(replace(train, ema=0.5), "adamw", 1_000, held_out, usual_training("tabm"))
    assert (named.ema, named.patience) == (0.5, patience)


def test_the_usual_patience_is_danlus_own_choice(tmp_path: Path) -> None:
    recipe = set_up(draft_recipe("tabm", "diabetes")).recipe
    assert (recipe.train.patience, recipe.train.ema, recipe.train.weights) == (16, 0.97, "best")
    assert {"train.patience", "train.ema", "train.batch_size"} <= recipe.chosen
    file = tmp_path / "recipe.toml"
    file.write_text(to_toml(recipe), encoding="utf-8")
    assert set_up(draft_recipe(recipe=file)).recipe == recipe
    mlp = set_up(draft_recipe("mlp", "diabetes")).recipe.train
    assert set_up(draft_recipe("mlp", recipe=file)).recipe.train == mlp
    longer = set_up(draft_recipe(recipe=file, settings={"epochs": 50})).recipe.train
    assert (longer.patience, longer.ema, longer.epochs, longer.weights) == (None, None, 50, "best")


@pytest.mark.parametrize("settings", OTHER_SETTINGS, ids=str)
def test_no_other_setting_changes_how_long_is_trained_or_which_weights_are_scored(settings: dict[str, Any]) -> None:
    plain = set_up(draft_recipe("mlp", "digits")).recipe.train
    other = set_up(draft_recipe("mlp", "digits", settings=settings)).recipe.train
    assert (other.epochs, other.weights) == (plain.epochs, plain.weights) == (51, "best")


def test_the_choice_is_stored_as_danlus_own_and_yields_to_other_data(tmp_path: Path) -> None:
    run = danlu.fit("mlp", arrays(60), hidden=[4], folder=tmp_path / "run", progress=False)
    stored = read_recipe(run.folder / "recipe.toml")
    assert (stored.train.epochs, stored.train.weights) == (200, "last")
    assert {"train.epochs", "train.weights"} <= stored.chosen
    again = draft_recipe(data="digits", recipe=run.folder / "recipe.toml")
    assert (again.train.epochs, again.train.weights) == (None, None)


def test_a_net_given_as_an_object_ends_with_the_weights_that_are_scored(tmp_path: Path) -> None:
    net = danlu.nets.MLP(inputs=4, outputs=2, hidden=[32])
    run = danlu.fit(net, arrays(400), epochs=30, lr=0.3, folder=tmp_path / "run", progress=False)
    assert 0 < run.scored_epoch < run.epochs  # the last weights are not the best ones
    for name, tensor in run.net().state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], tensor, rtol=0, atol=0)


@pytest.mark.every(2)
@pytest.mark.parametrize("net", ["mlp", lambda: danlu.nets.MLP(inputs=10, outputs=1, norm="layer")])
def test_the_best_of_a_study_is_trained_for_the_epochs_that_its_members_led_to(tmp_path: Path, net: Any) -> None:
    study = danlu.compare(
        net, "diabetes", vary={"lr": [0.01, 0.02]}, seeds=2, epochs=30, folder=tmp_path / "study", progress=False
    )
    assert study.best is not None
    members = [
        record
        for record in read(tmp_path / "study" / "journal.jsonl")
        if record["kind"] == "member" and record["factors"] == study.best.factors
    ]
    epochs = [record["scored_epoch"] for record in members]
    assert all(0 < epoch < 30 for epoch in epochs)
    assert study.best.recipe.train.epochs == round(sum(epochs) / 2)
    assert study.best.recipe.data.refit


@pytest.mark.parametrize("split_seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_a_small_noisy_table_is_not_learnt_by_heart(tmp_path: Path, split_seed: int) -> None:
    data = danlu.load("diabetes", split_seed=split_seed)
    run = danlu.fit("mlp", data, folder=tmp_path / "run", progress=False, watch=False)
    assert run.score["test"]["r2"] > 0.1


def test_a_run_of_danlu_0_1_goes_on_as_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"epochs": 6, "lr": 0.3, "weights": "last", "progress": False}
    whole = danlu.fit("mlp", arrays(400), folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 70)
    with pytest.raises(danlu.Interrupted, match="begun"):
        danlu.fit("mlp", arrays(400), folder=tmp_path / "begun", **settings)
    recipe = tmp_path / "begun" / "recipe.toml"  # danlu 0.1 wrote no such line, and scored the last weights
    lines = recipe.read_text(encoding="utf-8").splitlines(keepends=True)
    recipe.write_text("".join(line for line in lines if not line.startswith("weights = ")), encoding="utf-8")
    run = danlu.resume(tmp_path / "begun", data=arrays(400), progress=False)
    assert run.score == whole.score
