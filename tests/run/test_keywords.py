"""Keywords as people know them from elsewhere: each works, or is answered by one sentence that leads to the setting."""

from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.base.recipe import Recipe
from danlu.run.settings.draft import draft_recipe
from danlu.study.compare import planned
from danlu.study.factors import flat

WORKS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"optimizer": "adam"}, {"optim.name": "adam"}),
    ({"optimiser": "Adam"}, {"optim.name": "adam"}),
    ({"optim": "AdamW"}, {"optim.name": "adamw"}),
    ({"optim_name": "adam"}, {"optim.name": "adam"}),
    ({"optim": {"name": "adam", "lr": 1e-3, "betas": (0.8, 0.9)}}, {"optim.lr": 1e-3, "optim.betas": [0.8, 0.9]}),
    ({"optimizer": {"name": "sgd", "learning_rate": 0.3}}, {"optim.name": "sgd", "optim.lr": 0.3}),
    ({"loss": "huber"}, {"loss.name": "huber"}),
    ({"criterion": "MSE"}, {"loss.name": "mse"}),
    ({"loss_fn": "mse"}, {"loss.name": "mse"}),
    ({"loss_name": "mse"}, {"loss.name": "mse"}),
    ({"loss": {"name": "huber", "delta": 2.0}}, {"loss.delta": 2.0}),
    ({"schedule": "cosine"}, {"schedule.name": "cosine"}),
    ({"scheduler": "OneCycle"}, {"schedule.name": "one-cycle"}),
    ({"lr_scheduler": "step"}, {"schedule.name": "step"}),
    ({"schedule": {"name": "cosine", "warmup": 5}}, {"schedule.name": "cosine", "schedule.warmup": 5}),
    ({"learning_rate": 0.3}, {"optim.lr": 0.3}),
    ({"lr": torch.tensor(0.5)}, {"optim.lr": 0.5}),
    ({"batch": 8}, {"train.batch_size": 8}),
    ({"max_epochs": 3}, {"train.epochs": 3}),
    ({"train": {"epochs": 3, "seed": 4}}, {"train.epochs": 3, "train.seed": 4}),
    ({"early_stopping": 4}, {"train.patience": 4}),
    ({"random_state": 7}, {"train.seed": 7}),
    ({"val_split": 0.3, "test_size": 0.1}, {"data.validation": 0.3, "data.test": 0.1}),
    ({"device": "cpu"}, {"train.device": "cpu"}),
    ({"device": torch.device("cpu")}, {"train.device": "cpu"}),
    ({"weights": "digits.pth"}, {"net.weights": "digits.pth"}),
    ({"weights": "best"}, {"train.weights": "best"}),
    ({"grad_clip": 1.0}, {"train.clip_norm": 1.0}),
    ({"watch": False}, {"watch.on": False}),
    ({"hidden": [8, 8]}, {"net.hidden": [8, 8]}),
    ({"data": {"validation": 0.3}}, {"data.validation": 0.3}),
]

TOLD: list[tuple[dict[str, Any], str, str]] = [
    (
        {"optim": torch.optim.Adam(nn.Linear(1, 1).parameters())},
        'Adam is an object.*optim="adam"|Adam holds 2 of 2 parameters',
        "Adam 是一个对象|2 个不属于这个网络",
    ),
    ({"loss": nn.CrossEntropyLoss}, "CrossEntropyLoss|cross-entropy", "CrossEntropyLoss|cross-entropy"),
    ({"loss_fn": nn.functional.cross_entropy}, 'loss="cross-entropy"', 'loss="cross-entropy"'),
    ({"criterion": lambda a, b: a}, 'loss="cross-entropy"', 'loss="cross-entropy"'),  # pyright: ignore[reportUnknownLambdaType]
    ({"scheduler": object()}, 'schedule="cosine"|a scheduler of torch', 'schedule="cosine"|torch 的调度器'),
    ({"model": nn.Linear(1, 1)}, r"danlu.fit\(net, data\)", "网络作为第一个参数"),
    ({"lr": nn.Linear(1, 1)}, 'optim="adam", lr=0.001', 'optim="adam", lr=0.001'),
    ({"group": torch.arange(5)}, r"danlu.load\(…\)", r"danlu.load\(…\)"),
    ({"clip_norm": object()}, "a recipe holds names, numbers", "配方里只能写名字、数字"),
    ({"weight": torch.ones(2)}, r"danlu.load\(…\)", r"danlu.load\(…\)"),
    ({"callbacks": []}, "listeners=.*danlu.watch", "listeners=.*danlu.watch"),
    ({"listener": []}, "listeners=.*danlu.watch", "listeners=.*danlu.watch"),
    ({"metric": ["accuracy"]}, "run.score", "run.score"),
    ({"transform": lambda x: x}, "augment", "augment"),  # pyright: ignore[reportUnknownLambdaType]
    ({"verbose": True}, "progress=True", "progress=True"),
    ({"early_stopping": True}, "patience=5", "patience=5"),
    ({"validation_data": (1, 2)}, "danlu.load", "danlu.load"),
    ({"X": 1}, r"danlu.fit\(net, \(x, y\)\)", r"danlu.fit\(net, \(x, y\)\)"),
    ({"train": 5}, 'train={"epochs": …}', 'train={"epochs": …}'),
    ({"lr": 0.1, "learning_rate": 0.2}, "given twice, as lr and as learning_rate", "给了两次：lr 和 learning_rate"),
    ({"optim": {"lr": 0.1, "nam": "adam"}}, "optim.nam.*optim.name", "optim.nam.*optim.name"),
    ({"optim": "addam"}, 'called addam.*"adam"', 'addam.*"adam"'),
    ({"optimzer": "adam"}, '"optim.name"', '"optim.name"'),
    ({"recipe": 3}, "must be a danlu.Recipe", "danlu.Recipe"),
]


@pytest.mark.parametrize(
    ("keywords", "wanted"), WORKS, ids=[f"{place}-{[*case[0]]}" for place, case in enumerate(WORKS)]
)
def test_a_keyword_means_its_setting(keywords: dict[str, Any], wanted: dict[str, Any]) -> None:
    values = flat(draft_recipe("mlp", settings=keywords))
    assert {key: values[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("keywords", "english", "chinese"), TOLD, ids=[f"{place}-{[*case[0]]}" for place, case in enumerate(TOLD)]
)
def test_what_is_no_setting_is_told(keywords: dict[str, Any], english: str, chinese: str, language: str) -> None:
    for verb in (danlu.fit, danlu.check, danlu.lr_find):
        with pytest.raises(danlu.UserError, match=english if language == "en" else chinese):
            verb("mlp", "iris", **keywords)


def test_a_recipe_takes_mappings_for_its_sections() -> None:
    recipe = Recipe(  # pyright: ignore[reportCallIssue]
        optim={"name": "adam", "lr": 1e-3},  # pyright: ignore[reportArgumentType]
        net={"name": "mlp", "hidden": [8]},  # pyright: ignore[reportArgumentType]
    )
    assert (recipe.optim.name, recipe.optim.lr, recipe.net.options) == ("adam", 1e-3, {"hidden": [8]})
    drafted = draft_recipe(recipe=recipe, data="iris")
    assert drafted.net == recipe.net
    as_tree = draft_recipe(recipe={"optim": {"name": "adam", "lr": 1e-3}, "net": {"name": "mlp", "hidden": [8]}})
    assert as_tree == recipe


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"optim": {"nam": "adam"}}, 'optim.nam.*"optim.name"'),
        ({"optim": {"lr": -1.0}}, "optim.lr is -1.0; it must be a number above 0"),
        ({"train": 5}, "train of a recipe must be a mapping"),
        ({"optim": {"lr": "much", "nam": 1}}, r"(?s)optim.*optim"),
    ],
)
def test_a_recipes_mapping_is_checked_at_once(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(danlu.UserError, match=message):
        Recipe(**sections)


@pytest.mark.parametrize("tree", [{"optimm": {"lr": 1}}, {"optim": 3}, {"optim": {"lrr": 1}}], ids=str)
def test_a_nested_recipe_is_checked(tree: dict[str, Any]) -> None:
    with pytest.raises(danlu.UserError, match="optim"):
        danlu.fit("mlp", "iris", recipe=tree)


@pytest.mark.parametrize(
    ("vary", "key"),
    [
        ({"optimizer": ["adam", "sgd"]}, "optim.name"),
        ({"learning_rate": [0.1, 0.2]}, "optim.lr"),
        ({"schedule": ["constant", "cosine"]}, "schedule.name"),
        ({"batch": [8, 16]}, "train.batch_size"),
    ],
)
def test_factors_are_named_as_keywords_are(vary: dict[str, Any], key: str) -> None:
    plan, _, _ = planned("mlp", "iris", vary=vary, seeds=1, optim={"weight_decay": 1e-4})
    assert list(plan.factors) == [key]
    assert {one.recipe(0, one.folds[0]).optim.weight_decay for one in plan.planned} == {1e-4}
