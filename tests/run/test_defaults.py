"""The defaults of a recipe do not hang together: naming one setting changes that one, and no other unseen."""

import json
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import read_recipe
from danlu.run.settings.draft import draft_recipe
from danlu.run.setup import set_up
from danlu.store.study_folder import StudyFolder
from danlu.study.compare import planned, recipe_of_design
from danlu.study.factors import flat
from danlu.view.opening import choices

# Another value for every setting that shapes a training, and what follows from it: an optimiser brings its own rate.
OTHER: dict[str, tuple[Any, set[str]]] = {
    "optim.name": ("adam", {"optim.lr", "optim.momentum"}),
    "optim.lr": (0.02, set()),
    "optim.momentum": (0.5, set()),
    "optim.weight_decay": (1e-4, set()),
    "optim.nesterov": (True, set()),
    "schedule.name": ("cosine", set()),
    "schedule.warmup": (3, set()),
    "loss.label_smoothing": (0.1, set()),
    "train.epochs": (3, set()),
    "train.batch_size": (8, set()),
    "train.accumulate": (2, set()),
    "train.seed": (1, set()),
    "train.precision": ("float64", set()),
    "train.clip_norm": (1.0, set()),
    "train.clip_value": (1.0, set()),
    "train.ema": (0.9, set()),
    "train.patience": (2, {"train.weights"}),  # early stopping scores the best
    "train.weights": ("best", set()),
    "data.validation": (0.2, {"train.weights"}),  # now there are enough samples to choose by
    "data.test": (0.3, set()),
    "data.split_seed": (1, set()),
    "data.shuffle": (False, set()),
    "data.standardise": (False, set()),
    "net.dropout": (0.1, set()),
    "net.hidden": ([32], set()),
    "net.activation": ("tanh", set()),
    "net.norm": ("batch", set()),
}


def resolved(**settings: Any) -> Recipe:
    return set_up(draft_recipe("mlp", "wine", settings=settings)).recipe


def other_keys(first: Recipe, second: Recipe) -> set[str]:
    before, after = flat(first), flat(second)
    return {key for key in {**before, **after} if before.get(key) != after.get(key)}


@pytest.mark.parametrize("key", OTHER)
def test_a_setting_named_changes_no_other(key: str) -> None:
    value, follow = OTHER[key]
    assert other_keys(resolved(), resolved(**{key: value})) - {key} <= follow


@pytest.mark.parametrize("key", ["optim.name", "optim.lr", "optim.momentum", "train.batch_size", "loss.name"])
def test_a_default_named_is_the_default(key: str) -> None:
    assert other_keys(resolved(), resolved(**{key: flat(resolved())[key]})) == set()


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop", "adadelta", "adagrad", "lbfgs"])
def test_the_rate_named_leaves_every_optimiser_as_it_is(name: str) -> None:
    usual = resolved(**{"optim.name": name})
    named = resolved(**{"optim.name": name, "optim.lr": usual.optim.lr})
    assert named == usual


@pytest.mark.parametrize(
    ("vary", "key", "value"),
    [
        ({"lr": [0.01, 0.1]}, "optim.momentum", 0.9),
        ({"momentum": [0.0, 0.9]}, "optim.lr", 0.01),
        ({"start": [{}, {"lr": 0.1}]}, "optim.momentum", 0.9),
    ],
    ids=str,
)
def test_the_levels_of_a_study_keep_the_other_default(vary: Any, key: str, value: float) -> None:
    plan, _, _ = planned("mlp", "wine", vary=vary, seeds=1)
    assert {flat(one.recipe(0, one.folds[0]))[key] for one in plan.planned} == {value}


def test_every_choice_is_said_at_the_start(capsys: pytest.CaptureFixture[str], tmp_path: Path, language: str) -> None:
    settings: dict[str, Any] = {"lr": 0.02, "schedule.name": "cosine", "patience": 3, "ema": 0.9, "clip_norm": 5.0}
    danlu.fit("mlp", "wine", epochs=1, folder=tmp_path / "run", **settings, progress=True)
    said = capsys.readouterr().err
    for part in ("sgd", "0.02", "0.9", "cosine", "16", "train.patience=3", "train.ema=0.9", "train.clip_norm=5.0"):
        assert part in said
    assert ("the best weights are scored" if language == "en" else "评估验证结果最好的权重") in said


def test_nothing_is_said_twice() -> None:
    said = choices(resolved(lr=0.02))
    assert said == "sgd, learning rate 0.02, momentum 0.9, constant schedule, batch size 16, loss cross-entropy"


def test_a_run_that_an_earlier_danlu_began_keeps_the_momentum_it_had(tmp_path: Path) -> None:
    text = '[optim]\nname = "sgd"\nlr = 0.05\n'
    (tmp_path / "recipe.toml").write_text('# chosen by danlu: {"train.batch_size": 16}\n' + text)
    assert read_recipe(tmp_path / "recipe.toml").optim.momentum == 0.0
    assert draft_recipe(recipe=tmp_path / "recipe.toml", settings={"optim.name": "adam"}).optim.momentum is None
    (tmp_path / "mine.toml").write_text(text)
    assert read_recipe(tmp_path / "mine.toml").optim.momentum is None
    (tmp_path / "environment.json").write_text("{}")
    assert read_recipe(tmp_path / "mine.toml").optim.momentum == 0.0


@pytest.mark.parametrize(
    ("factors", "momentum", "lr"),
    [({"optim.lr": [0.1, 1.0]}, 0.0, None), ({"optim.momentum": [0.0, 0.9]}, None, 0.001), ({}, None, None)],
)
def test_a_study_that_an_earlier_danlu_began_goes_on_as_it_was(
    tmp_path: Path, factors: dict[str, Any], momentum: float | None, lr: float | None
) -> None:
    design: dict[str, Any] = {"recipe": Recipe().as_dict(), "factors": factors, "seeds": [0], "folds": 1}
    (tmp_path / "study.json").write_text(json.dumps(design))
    recipe = recipe_of_design(StudyFolder(tmp_path))
    assert (recipe.optim.momentum, recipe.optim.lr, recipe.train.weights) == (momentum, lr, "last")
    (tmp_path / "study.json").write_text(json.dumps({**design, "defaults": 2}))
    recipe = recipe_of_design(StudyFolder(tmp_path))
    assert (recipe.optim.momentum, recipe.optim.lr, recipe.train.weights) == (None, None, None)


@pytest.mark.parametrize(
    ("settings", "factors"),
    [
        ({"patience": 3}, {}),
        ({"weights": "best"}, {}),
        ({}, {"train.patience": [3, 5]}),
        ({}, {"train.weights": ["last", "best"]}),
        ({}, {"stopping": [{"train.patience": 3}, {"train.patience": 5}]}),
    ],
)
def test_a_study_of_an_earlier_danlu_scores_the_weights_that_it_named(
    tmp_path: Path, settings: dict[str, Any], factors: dict[str, Any]
) -> None:
    recipe = {"train": settings} if settings else {}
    (tmp_path / "study.json").write_text(json.dumps({"recipe": recipe, "factors": factors, "seeds": [0], "folds": 1}))
    assert recipe_of_design(StudyFolder(tmp_path)).train.weights == settings.get("weights")
