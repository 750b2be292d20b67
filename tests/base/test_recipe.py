"""The recipe is a frozen tree; its fingerprint counts what determines the weights, and nothing else."""

import datetime
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from danlu.base.recipe import (
    SECTIONS,
    DataRecipe,
    NetRecipe,
    OptimRecipe,
    Recipe,
    TrackRecipe,
    TrainRecipe,
    WatchRecipe,
)


def test_every_key_is_optional() -> None:
    recipe = Recipe()
    assert recipe.net.name == "auto"
    assert (recipe.data.name, recipe.data.path) == (None, None)
    assert recipe.train.epochs is None  # by the data


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError, match="lr"):
        Recipe().optim.lr = 3.0  # pyright: ignore[reportAttributeAccessIssue]


def test_as_dict_has_every_section_and_no_key_that_is_none() -> None:
    tree = Recipe(optim=OptimRecipe(lr=0.1)).as_dict()
    assert list(tree) == ["data", "net", "loss", "optim", "schedule", "train", "watch"]
    assert tree["optim"] == {"name": "auto", "lr": 0.1}
    assert all(value is not None for section in tree.values() for value in section.values())


def test_as_dict_has_trackers_only_where_there_are_some() -> None:
    recipe = Recipe(track={"to": ["mlflow"], "every": 10})  # type: ignore[arg-type]
    assert recipe.as_dict()["track"] == {"to": ["mlflow"], "every": 10}
    assert str(recipe) == "track.to=['mlflow']\ntrack.every=10"


def test_as_dict_puts_a_nets_options_beside_its_name() -> None:
    recipe = Recipe(net=NetRecipe(name="mlp", options={"hidden": [64, 32]}))
    assert recipe.as_dict()["net"] == {"name": "mlp", "hidden": [64, 32]}


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    program = "from danlu.base.recipe import Recipe; print(Recipe().fingerprint())"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == Recipe().fingerprint()
    assert len(Recipe().fingerprint()) == 16


@pytest.mark.parametrize(
    "same",
    [
        Recipe(data=DataRecipe(root="elsewhere")),
        Recipe(data=DataRecipe(workers=4)),
        Recipe(train=TrainRecipe(checkpoint_steps=7)),
        Recipe(train=TrainRecipe(checkpoint_seconds=1.0)),
        Recipe(train=TrainRecipe(keep=5)),
        Recipe(watch=WatchRecipe(on=False)),
        Recipe(watch=WatchRecipe(silence=("plateau",))),
        Recipe(track=TrackRecipe(to=("mlflow",), project="nets", every=10)),
    ],
)
def test_where_data_lie_how_often_is_saved_and_who_watches_does_not_count(same: Recipe) -> None:
    assert same.fingerprint() == Recipe().fingerprint()


NOT_COUNTED = {
    ("data", "root"),
    ("data", "workers"),
    ("data", "stream"),  # the same samples, from memory or from the disk
    ("train", "processes"),  # who computes, not what
    *(("train", f"checkpoint_{unit}") for unit in ("steps", "seconds")),
}
# These two count in company: tests/run/distributed/test_sharing.py.
NOT_COUNTED |= {("train", "batch_norm"), ("train", "virtual_workers"), ("train", "fsdp")}
COUNTED = [
    (section, key.name)
    for section in SECTIONS
    for key in fields(getattr(Recipe(), section))
    if (section, key.name) not in NOT_COUNTED | {("train", "keep")} and section not in ("watch", "track")
]


@pytest.mark.parametrize(("section", "key"), COUNTED)
def test_every_other_key_counts(section: str, key: str) -> None:
    recipe = Recipe()
    value: Any = {"other": 1} if key == "options" else "something else"
    changed = replace(recipe, **{section: replace(getattr(recipe, section), **{key: value})})
    assert changed.fingerprint() != recipe.fingerprint()


def test_the_order_in_which_options_were_given_does_not_count() -> None:
    first = Recipe(net=NetRecipe(options={"hidden": [8], "activation": "relu"}))
    second = Recipe(net=NetRecipe(options={"activation": "relu", "hidden": [8]}))
    assert first.fingerprint() == second.fingerprint()


def test_options_that_are_no_json_have_a_fingerprint_too() -> None:
    """TOML knows dates; whether the net does is for the net to say."""
    recipe = Recipe(net=NetRecipe(options={"since": datetime.date(2020, 1, 1)}))
    assert recipe.fingerprint() != Recipe().fingerprint()
