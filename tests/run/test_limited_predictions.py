"""Answers of a regression stay within the range of the training targets: scores, predictions, stacks, packages."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.base.recipe import NetRecipe, Recipe, TrainRecipe
from danlu.run.settings.usual import limits_predictions
from danlu.run.setup import set_up


def outlying(test_outliers: float = 40.0) -> Any:
    """y is 3·x₀ with noise, and 4 of the 60 samples of the test part lie far outside, where y is bounded."""
    draw = numpy.random.default_rng(0)
    x = draw.normal(size=(300, 3))
    x[-4:, 0] = test_outliers
    y = 3 * x[:, 0].clip(-3, 3) + 0.1 * draw.normal(size=300)
    return danlu.load({"train": (x[:200], y[:200]), "validation": (x[200:240], y[200:240]), "test": (x[240:], y[240:])})


def fitted(folder: Path, net: Any = "mlp", **settings: Any) -> danlu.Run:
    return danlu.fit(net, outlying(), folder=folder, **{"epochs": 20, "progress": False, "watch": False, **settings})


def test_one_far_sample_does_not_undo_the_score(tmp_path: Path) -> None:
    limited = fitted(tmp_path / "limited")
    free = fitted(tmp_path / "free", **{"train.limit_predictions": False})
    assert limited.recipe.train.limit_predictions is True
    assert limited.score["test"]["r2"] > 0.9 > free.score["test"]["r2"]
    assert limited.score["train"] == free.score["train"] or limited.score["train"]["r2"] >= free.score["train"]["r2"]
    weights = zip(limited.net().parameters(), free.net().parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)  # it is the answers that differ, not the training


def test_predictions_are_limited_from_the_folder_alone(tmp_path: Path) -> None:
    run = fitted(tmp_path / "run")
    top = float(outlying().target.high[0])
    with pytest.warns(danlu.DataWarning):
        here, there = (one.predict([[1e3, 0, 0]]) for one in (run, danlu.Run(run.folder)))
    assert here == there == pytest.approx([top])


def test_a_stack_scores_as_fit_does(tmp_path: Path) -> None:
    data = outlying()
    swapped = danlu.load({part: part_of(data, part) for part in ("train", "validation", "test")})
    settings: dict[str, Any] = {"epochs": 5, "weights": "last", "progress": False}
    study = danlu.compare("mlp", swapped, vary={"optim.lr": [0.01, 0.02]}, seeds=3, folder=tmp_path / "s", **settings)
    member = next(one for one in study.members if one.factors == {"optim.lr": 0.01} and one.seed == 0)
    alone = danlu.fit("mlp", swapped, folder=tmp_path / "r", watch=False, **settings)
    assert member.score["r2"] == pytest.approx(alone.score["validation"]["r2"], abs=1e-4)
    assert member.score["r2"] > 0.5


def part_of(data: Any, part: str) -> Any:
    """Samples of a part, the test part's outliers moved into the validation part."""
    swap = {"train": "train", "validation": "test", "test": "validation"}[part]
    x, y = next(iter(data.batches(swap, 1000, device=torch.device("cpu"))))
    return x.numpy(), y.numpy()


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("net", "settings", "limited"),
    [
        ("mlp", {}, True),
        ("linear-regression", {}, None),
        ("mixture-density", {}, None),
        (nn.Linear(3, 1), {}, None),
        (nn.Linear(3, 1), {"train.limit_predictions": True}, True),
        ("linear-regression", {"train.limit_predictions": True}, True),
        ("mlp", {"train.limit_predictions": False}, False),
    ],
)
def test_which_nets_are_limited(net: Any, settings: dict[str, Any], limited: bool | None, tmp_path: Path) -> None:
    run = fitted(tmp_path / "run", net, epochs=1, **settings)
    assert run.recipe.train.limit_predictions is limited
    assert (run.preprocessing.target.bounds is not None) is bool(limited)


def test_parts_that_follow_in_time_may_go_on_rising() -> None:
    x = numpy.arange(200.0)
    data = danlu.load((x[:, None], 2 * x), time=x)
    recipe = Recipe(net=NetRecipe(name="mlp"))
    assert not limits_predictions(recipe, data)
    assert limits_predictions(recipe, danlu.load((x[:, None], 2 * x)))


def test_nothing_to_limit_is_an_error() -> None:
    with pytest.raises(UserError, match="limit_predictions"):
        set_up(Recipe(train=TrainRecipe(limit_predictions=True)))
