"""The recipe that is written is the one that is trained."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

import danlu
from danlu.base.recipe import DataRecipe
from danlu.run.settings.draft import draft_recipe

LOADING = sorted({key.name for key in fields(DataRecipe)} - {"shuffle", "balance"})
DOTTED = [f"data.{key}" for key in LOADING]
FLAT = [key for key in LOADING if key != "name"]


@pytest.mark.every(4)
@pytest.mark.parametrize("key", DOTTED + FLAT)
def test_data_already_loaded_take_no_settings_of_loading(key: str, language: str) -> None:
    words = f"Pass {key} to danlu.load" if language == "en" else f"{key}：数据已经加载"
    with pytest.raises(danlu.UserError, match=words):
        draft_recipe("mlp", danlu.load("digits"), settings={key: 0.5})


def test_the_order_of_loaded_data_is_still_the_recipes(tmp_path: Path) -> None:
    data = danlu.load("digits", validation=0.3)
    assert draft_recipe("mlp", data, settings={"data.shuffle": False}).data.shuffle is False
    (tmp_path / "r.toml").write_text("[data]\nname = 'mnist'\nvalidation = 0.2\nshuffle = false\n")
    drafted = draft_recipe("mlp", data, tmp_path / "r.toml").data
    assert (drafted.name, drafted.validation, drafted.shuffle) == ("digits", 0.3, False)


@pytest.mark.parametrize("data", ["digits", "table.csv", (torch.rand(9, 2), torch.arange(9) % 2)], ids=type)
@pytest.mark.parametrize("key", ["data.name", "data.path", "path"])
def test_data_named_twice_are_told(data: Any, key: str, language: str) -> None:
    words = f"{key}: the data are named a second time" if language == "en" else f"{key}：这里又指定了一次数据"
    with pytest.raises(danlu.UserError, match=words):
        draft_recipe("mlp", data, settings={key: "other.csv"})


def test_every_setting_of_the_data_reaches_them(tmp_path: Path) -> None:
    run = danlu.fit(
        "softmax-regression", "iris", fold=(1, 4), folder=tmp_path / "run", epochs=1, batch_size=50, progress=False
    )
    assert run.data.sizes == next(f for n, f in enumerate(danlu.load("iris").folds(4)) if n == 1).sizes
    assert danlu.Run(tmp_path / "run").data.fingerprint() == run.data.fingerprint()


@pytest.mark.every(2)
@pytest.mark.parametrize("given", ["file", "recipe"])
def test_a_runs_recipe_takes_another_optimiser_net_or_data(tmp_path: Path, given: str) -> None:
    run = danlu.fit("logistic-regression", "breast-cancer", epochs=1, folder=tmp_path / "run", progress=False)
    chosen = {"optim.name", "optim.lr", "optim.momentum", "train.batch_size", "train.weights", "loss.name"}
    chosen |= {"schedule.name"}
    assert run.recipe.chosen == chosen
    recipe = run.recipe if given == "recipe" else run.folder / "recipe.toml"
    again = danlu.fit(recipe=recipe, folder=tmp_path / "again", progress=False)
    assert (again.folder / "recipe.toml").read_text() == (run.folder / "recipe.toml").read_text()
    adam = danlu.fit(recipe=recipe, folder=tmp_path / "adam", progress=False, **{"optim.name": "Adam"}).recipe
    assert (adam.optim.lr, adam.optim.momentum) == (0.001, None)
    mlp = danlu.fit("mlp", recipe=recipe, folder=tmp_path / "mlp", progress=False).recipe
    assert (run.recipe.loss.name, mlp.loss.name) == ("bce", "cross-entropy")
    diabetes = danlu.fit("mlp", "diabetes", recipe=recipe, folder=tmp_path / "data", progress=False).recipe
    assert diabetes.loss.name == "mse"
    small = {"members": 2, "width": 8}
    tabm = danlu.fit("tabm", recipe=recipe, folder=tmp_path / "tabm", progress=False, **small).recipe
    assert (tabm.optim.name, tabm.optim.lr, tabm.optim.momentum) == ("adamw", 0.001, None)


def test_a_net_of_ours_given_as_an_object_fits_other_data_by_its_recipe(tmp_path: Path) -> None:
    net = danlu.nets.LeNet5(classes=10, pooling="average")
    run = danlu.fit(net, "digits", epochs=1, batch_size=200, folder=tmp_path / "run", progress=False)
    assert "net.classes" in run.recipe.chosen
    assert "net.pooling" not in run.recipe.chosen
    x, y = torch.randint(0, 256, (60, 3, 20, 20), dtype=torch.uint8), torch.arange(60) % 4
    recipe = run.folder / "recipe.toml"
    other = danlu.fit(None, (x, y), recipe=recipe, batch_size=20, folder=tmp_path / "other", progress=False)
    assert other.net().state_dict().keys() == net.state_dict().keys()
    assert other.recipe.net.options == {"pooling": "average"}
    with pytest.raises(danlu.UserError, match="net.pooling: the net mlp has no such option"):
        danlu.fit("mlp", recipe=recipe, folder=tmp_path / "mlp", progress=False)


def test_what_cannot_be_a_net_or_a_recipe_is_told(language: str) -> None:
    told: list[tuple[dict[str, Any], str, str]] = [
        ({"net": 3}, "of the type int", "实际是 int 类型"),
        ({"net": danlu.nets.MLP}, r"MLP is a class; give an instance of it: MLP\(…\)", "MLP 是一个类"),
        ({"recipe": 5.0}, "of the type float", "实际是 float 类型"),
    ]
    for arguments, english, chinese in told:
        with pytest.raises(danlu.UserError, match=english if language == "en" else chinese):
            danlu.fit(**arguments)


@pytest.mark.parametrize(("word", "key"), [("learning_rate", "optim.lr"), ("max_epochs", "train.epochs")])
def test_words_of_other_libraries_are_understood(word: str, key: str) -> None:
    section, name = key.split(".")
    recipe = draft_recipe("mlp", "digits", settings={word: 1})
    assert getattr(getattr(recipe, section), name) == 1
    with pytest.raises(danlu.UserError, match=f'Did you mean "{key}"'):
        draft_recipe("mlp", "digits", settings={f"train.{word}": 1})
    for typed in (word, f"train.{word}"):
        with pytest.raises(danlu.UserError, match=f'Did you mean "{key}"'):
            draft_recipe("mlp", "digits", words=[f"{typed}=1"])
