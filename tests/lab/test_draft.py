"""The recipe that is written is the one that is trained."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

import danlu
from danlu.base.recipe import DataRecipe
from danlu.lab.draft import draft_recipe

LOADING = sorted({key.name for key in fields(DataRecipe)} - {"shuffle"})
DOTTED = [f"data.{key}" for key in LOADING]
FLAT = [key for key in LOADING if key != "name"]


@pytest.mark.parametrize("key", DOTTED + FLAT)
def test_data_already_loaded_take_no_settings_of_loading(key: str, language: str) -> None:
    words = f"{key}: these belong into danlu.load" if language == "en" else f"{key}：数据已经加载"
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
    assert run._dataset.sizes == next(f for n, f in enumerate(danlu.load("iris").folds(4)) if n == 1).sizes
    assert danlu.Run(tmp_path / "run")._dataset.fingerprint() == run._dataset.fingerprint()
