"""Everything that can be a factor of a study is one, from its name to an effect: numbers in one stack, structure in one
stack a level."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.base.recipe import Recipe
from danlu.study.compare import planned
from danlu.study.factors import keys_of

# The factor as it is written, its levels, what else the recipe says.
NUMBERS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("lr", [0.01, 0.1], {}),
    ("momentum", [0.0, 0.9], {"lr": 0.05}),
    ("weight_decay", [0.0, 0.01], {}),
    ("betas", [[0.9, 0.999], [0.8, 0.99]], {"optim.name": "adam"}),
    ("clip_norm", [0.1, 5.0], {}),
    ("clip_value", [0.01, 1.0], {}),
    ("dropout", [0.1, 0.5], {}),
    ("label_smoothing", [0.0, 0.1], {}),
    ("net.init", [["kaiming-normal", 0.5], ["kaiming-normal", 2.0]], {}),
    ("schedule.warmup", [0, 3], {}),
    ("ema", [0.5, 0.9], {}),
]
STRUCTURE: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("activation", ["relu", "sigmoid"], {}),
    ("depth", [1, 2], {}),
    ("width", [8, 16], {}),
    ("hidden", [[8], [16, 8]], {}),
    ("norm", ["none", "batch", "layer"], {}),
    ("optim.name", ["sgd", "adam"], {}),
    ("batch_size", [16, 32], {}),
    ("data.standardise", [True, False], {}),
    ("data.samples", [30, 60], {}),
    ("net", ["softmax-regression", "mlp"], {}),
]


@pytest.mark.every(6)
@pytest.mark.parametrize(("factor", "levels", "others"), [*NUMBERS, *STRUCTURE], ids=lambda given: str(given)[:20])
def test_a_factor_is_varied_from_its_name_to_its_effect(
    factor: str, levels: list[Any], others: dict[str, Any], tmp_path: Path
) -> None:
    study = danlu.compare(
        "mlp",
        "iris",
        vary={factor: levels},
        seeds=2,
        folds=2,
        epochs=2,
        folder=tmp_path / "s",
        progress=False,
        **others,
    )
    assert study.failed == []
    assert len(study.members) == len(levels) * 4
    assert len(study.effects) == len(levels) - 1
    assert study.effects[0].effect.pairs == 4
    (name,) = study.factors
    losses = {str(level): _losses(study, name, level) for level in study.factors[name]}
    assert len(set(map(str, losses.values()))) == len(levels), "the factor changed nothing"
    assert study.best is not None


def _losses(study: danlu.Study, name: str, level: Any) -> list[float]:
    members = sorted(study.members, key=lambda member: (member.seed, member.fold))
    return [member.score["loss"] for member in members if member.factors[name] == level]


@pytest.mark.every(4)
@pytest.mark.parametrize(("factor", "levels", "others"), NUMBERS, ids=lambda given: str(given)[:20])
def test_levels_that_are_numbers_are_one_stack(factor: str, levels: list[Any], others: dict[str, Any]) -> None:
    plan, _, _ = planned("mlp", "iris", vary={factor: levels}, seeds=2, folds=2, **others)
    assert [group["stacked"] for group in plan.facts()["groups"]] == [True]


@pytest.mark.every(3)
@pytest.mark.parametrize(("factor", "levels", "others"), STRUCTURE, ids=lambda given: str(given)[:20])
def test_levels_that_change_the_structure_are_a_stack_each(
    factor: str, levels: list[Any], others: dict[str, Any]
) -> None:
    plan, _, _ = planned("mlp", "iris", vary={factor: levels}, seeds=2, folds=2, **others)
    assert [group["stacked"] for group in plan.facts()["groups"]] == [True] * len(levels)


@pytest.mark.every(3)
@pytest.mark.parametrize("factor", ["dropout", "batch_size", "label_smoothing"])
def test_pictures_have_the_same_factors(factor: str, tmp_path: Path) -> None:
    levels = {"dropout": [0.1, 0.3], "batch_size": [64, 128], "label_smoothing": [0.0, 0.2]}[factor]
    study = danlu.compare(
        "mlp",
        "digits",
        vary={factor: levels},
        seeds=2,
        epochs=1,
        **{"data.samples": 200},
        folder=tmp_path / "s",
        progress=False,
    )
    assert len(study.members) == 4


def test_a_transform_of_pictures_is_a_factor_and_its_members_are_trained_singly(tmp_path: Path) -> None:
    vary = {"data.augment": [[], ["crop:1"]]}
    settings: dict[str, Any] = {"epochs": 1, "data.samples": 64, "progress": False}
    study = danlu.compare("lenet5", "digits", vary=vary, seeds=2, folder=tmp_path / "s", **settings)
    assert len(study.members) == 4
    assert len({member.score["loss"] for member in study.members}) == 4


def test_fewer_samples_are_a_part_of_more_and_are_judged_by_the_same_others() -> None:
    plan, _, _ = planned("mlp", "iris", vary={"data.samples": [30, 60]}, seeds=2, folds=3)
    few, many = (planned.folds for planned in plan.planned)
    for small, large in zip(few, many, strict=True):
        assert (small.sizes["train"], large.sizes["train"]) == (30, 60)
        assert small.sizes["validation"] == large.sizes["validation"] == 40


def wide() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 3))


def broken() -> nn.Module:
    raise ValueError("too wide")


def no_net() -> Any:
    return 3


def test_functions_that_build_nets_are_levels_and_more_seeds_know_them(tmp_path: Path) -> None:
    vary = {"net": ["softmax-regression", wide]}
    study = danlu.compare("mlp", "iris", vary=vary, seeds=2, epochs=2, folder=tmp_path / "s", progress=False)
    assert {member.factors["net.name"] for member in study.members} == {"softmax-regression", "wide"}
    assert len(study.more(1, progress=False).members) == 6
    with pytest.raises(UserError, match="cannot bring back: wide"):
        danlu.resume(tmp_path / "s", progress=False, net={"narrow": wide})
    assert danlu.resume(tmp_path / "s", progress=False, net={"wide": wide}).finished


def test_whole_recipes_are_levels_beside_other_factors(tmp_path: Path) -> None:
    (tmp_path / "plain.toml").write_text('[net]\nname = "softmax-regression"\n[optim]\nlr = 0.1\n')
    (tmp_path / "deep.toml").write_text('[net]\nname = "mlp"\ndepth = 2\n[optim]\nname = "adam"\n')
    files = [tmp_path / "plain.toml", tmp_path / "deep.toml"]
    study = danlu.compare(
        data="iris", vary={"recipe": files, "epochs": [1, 2]}, seeds=2, folder=tmp_path / "s", progress=False
    )
    assert len(study.members) == 8
    run = danlu.fit(recipe=files[1], data="iris", epochs=2, seed=1, folder=tmp_path / "run", progress=False)
    (member,) = (
        member
        for member in study.members
        if member.seed == 1 and member.factors == {"recipe": str(files[1]), "train.epochs": 2}
    )
    assert member.score["loss"] == pytest.approx(run.score["validation"]["loss"], rel=1e-4)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("vary", "left", "message"),
    [
        ({"net.activation": ["relu", "tanh", "rellu"]}, 2, "rellu"),
        ({"optim.name": ["sgd", "adam"], "momentum": [0.0, 0.9]}, 2, "adam has no such option"),
        ({"net": ["mlp", "softmax-regression", broken]}, 2, r"broken could not build a net \(ValueError: too wide\)"),
        ({"net": ["mlp", "softmax-regression", no_net]}, 2, "no_net gives a int, not a net"),
        ({"net": ["mlp", "softmax-regression", lambda: nn.Linear(5, 3)]}, 2, "wants 5"),
    ],
)
def test_levels_that_cannot_be_are_told_and_the_rest_goes_on(
    vary: dict[str, list[Any]], left: int, message: str
) -> None:
    plan, _, _ = planned("mlp", "iris", vary=vary, seeds=2, lr=0.01)
    assert len(plan.planned) == left
    assert all(re.search(message, row["reason"]) for row in plan.facts()["failed"])
    assert plan.facts()["failed"]


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("baseline", "least"), [("majority", 0.2), ("svm", 0.8), ("forest", 0.8), ("KNeighborsClassifier", 0.8)]
)
def test_estimators_of_scikit_learn_are_baselines(baseline: str, least: float, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"seeds": 2, "epochs": 1, "folder": tmp_path / "s", "progress": False}
    study = danlu.compare("mlp", "iris", vary={"lr": [0.01, 0.1]}, baselines=[baseline], **settings)
    assert all(row["score"]["accuracy"] > least for row in study.baselines)
    assert len(study.baselines) == (2 if baseline == "forest" else 1)
    again = study.more(1, progress=False).baselines
    assert len({(row["seed"], row["fold"]) for row in again}) == len(again)


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"lrr": [1, 2]}, r"lrr.*lr"),
        ({"optim.momentu": [0.1, 0.2]}, r"optim\.momentu.*optim\.momentum"),
        ({"momentum": [0.1, "much"]}, r"optim\.momentum is 'much'"),
        ({"batch_size": [16, 2.5]}, r"train\.batch_size"),
        ({"net": ["mlp", "mpl"]}, r"mpl.*mlp"),
        ({"net.hidden": [[8], [16]], "net.depth": [1, 2]}, "net.hidden"),
        ({"net": [lambda: None, lambda: None]}, "lambda gives a NoneType, not a net"),
        ({"recipe": ["nowhere.toml", "neither.toml"]}, r"nowhere\.toml.*\n.*neither\.toml"),
    ],
)
def test_what_cannot_be_a_factor_is_told(vary: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        planned("mlp", "iris", vary=vary, seeds=2)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(UserError, match="lrr") as caught:
        keys_of(Recipe(), {"lrr": [1, 2], "momentum": [0.9], "seed": [0, 1]})
    assert len(caught.value.faults) == 3


def test_a_level_may_hold_several_settings(tmp_path: Path) -> None:
    levels: list[dict[str, object]] = [{}, {"lr": 0.1, "net.depth": 2}, {"net.name": "softmax-regression"}]
    study = danlu.compare(
        "mlp", "iris", vary={"change": levels}, seeds=2, epochs=2, lr=1e-4, folder=tmp_path / "a", progress=False
    )
    assert study.factors["change"] == [{}, {"optim.lr": 0.1, "net.depth": 2}, {"net.name": "softmax-regression"}]
    assert len(study.members) == 6
    assert [effect.end for effect in study.effects] == study.factors["change"][1:]
    assert study.best is not None
    change = study.best.factors["change"]
    assert study.best.recipe.optim.lr == change.get("optim.lr", 1e-4)
    assert danlu.Study(study.folder).as_dict() == study.as_dict()


def test_where_one_level_holds_settings_all_must(tmp_path: Path, language: str) -> None:
    with pytest.raises(UserError, match={"en": "so each must", "zh": "每个取值都要写成一组设置"}[language]):
        danlu.compare("mlp", "iris", vary={"change": [{}, 0.1]}, folder=tmp_path / "a", progress=False)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (danlu.compare, r"Nothing varies.*vary=\{"),
        (lambda *what: danlu.compare(*what, vary={}), r"Nothing varies"),
        (danlu.search, r"Nothing to search.*space=\{"),
        (lambda *what: danlu.search(*what, space={}), r"Nothing to search"),
    ],
)
def test_what_is_not_named_is_asked_for(call: Callable[..., object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        call("softmax-regression", "iris")
