"""danlu compare as it is typed."""

import pytest
from tests.command_line import Type

STUDY = ("compare", "--net", "mlp", "--data", "iris", "train.epochs=2", "--seeds", "2")


def test_the_table_the_effects_and_the_best_are_shown(type_in: Type) -> None:
    answer = type_in(*STUDY, "--vary", "optim.lr=0.01,0.1", "--folds", "2", "--baselines", "majority")
    assert answer.code == 0
    for wanted in ("optim.lr=0.1", "optim.lr: 0.01 → 0.1", "4 pairs", "scikit-learn: majority", "best: optim.lr="):
        assert wanted in answer.out


def test_one_object_for_json_and_the_study_is_shown_again(type_in: Type) -> None:
    record = type_in(*STUDY, "--vary", "optim.lr=0.01,0.1", "--folder", "mine", "--json").json
    assert record["effects"][0]["factor"] == "optim.lr"
    assert type_in("show", "mine", "--json").json["members"] == record["members"]
    assert "best: optim.lr" in type_in("resume", "mine").out


def test_a_plan_trains_nothing(type_in: Type) -> None:
    answer = type_in(*STUDY, "--vary", "net.depth=1,2", "--plan", "--json")
    assert [group["members"] for group in answer.json["groups"]] == [2, 2]
    assert all(group["seconds"] > 0 and group["megabytes"] > 0 for group in answer.json["groups"])
    assert "members of" in type_in(*STUDY, "--vary", "net.depth=1,2", "--plan").out


def test_chinese_is_spoken(type_in: Type) -> None:
    answer = type_in(*STUDY, "--vary", "optim.lr=0.01,0.1", "--lang", "zh")
    assert "最佳：" in answer.out
    assert "次训练" in answer.err


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        ((), "Nothing varies", "没有要比较的因素"),
        (("--vary", "optim.lr"), "write a setting and its levels", "各个取值"),
        (("--vary", "optim.lr=0.1"), "one level", "只有一个取值"),
        (("--vary", "optim.lrr=0.1,0.2"), r"optim.lr", "optim.lr"),
        (("--vary", "optim.lr=0.1,0.2", "--seeds", "many"), "must be a number", "应为数字"),
        (("--vary", "optim.lr=0.1,0.2", "--folds", "0"), "must be a number", "应为数字"),
        (("--vary", "optim.lr=0.1,0.2", "--baselines", "tree"), "no baseline", "没有名为"),
        (("--vary", "optim.lr=0.1,0.2", "--baselines", "KNeighborsRegressor"), "KNeighborsClassifier", "没有名为"),
        (("--vary", "optim.lr=0.1,abc"), "must be a number", "数字"),
        (("--vary", "optim.lr=0.1,0.2", "--folds", "1000"), "only 120 samples", "只有 120 个"),
        (("--vary", "optim.lr=0.1,0.2", "--vary", "optim.lr=0.3,0.4"), "named twice", "写了两次"),
        (("--vary", "net.hidden=[8],[16]", "--vary", "net.depth=1,2"), "net.hidden", "net.hidden"),
        (("--vary", "net.activation=rellu,sigmiod"), "relu", "relu"),
        (("--vary", "train.seed=1,2"), "Use seeds", "请使用 seeds"),
        (("--vary", "recipe=nowhere.toml,neither.toml"), "neither.toml", "neither.toml"),
        (("optim.lr=0.1,0.2",), "write  --vary optim.lr=0.1,0.2", "--vary optim.lr=0.1,0.2"),
        (("--vary", "optim.lr=0.1,0.2", "--metric", "acuracy"), "no metric", "没有"),
        (("--vary", "optim.lr=0.1,0.2", "--margin", "small"), "must be a number", "应为数字"),
    ],
)
def test_mistakes_are_told_in_both_languages(type_in: Type, words: tuple[str, ...], english: str, chinese: str) -> None:
    for language, wanted in (("en", english), ("zh", chinese)):
        answer = type_in("compare", "--net", "mlp", "--data", "iris", *words, "--lang", language)
        assert answer.code == 2
        assert wanted in answer.err
        assert "Traceback" not in answer.err


@pytest.mark.every(2)
@pytest.mark.parametrize("words", [("--seeds", "1"), ("--vary", "optim.name=sgd,adam", "optim.momentum=0.9")])
def test_what_is_only_doubtful_is_told_and_the_study_goes_on(
    type_in: Type, words: tuple[str, ...], language: str
) -> None:
    answer = type_in("compare", "--net", "mlp", "--data", "iris", "train.epochs=1", "--seeds", "2", "--vary",
                     "optim.lr=0.1,0.2", *words, "--lang", language)  # fmt: skip
    wanted = {
        ("--seeds", "en"): "One seed only: nothing can be concluded",
        ("--seeds", "zh"): "只有一个种子",
        ("--vary", "en"): "adam has no such option",
        ("--vary", "zh"): "adam 没有",
    }
    assert answer.code == 0
    assert wanted[words[0], language] in answer.err


def test_two_factors_have_their_interaction_shown(type_in: Type) -> None:
    vary = ("--vary", "optim.lr=0.01,0.1", "--vary", "net.activation=relu,sigmoid")
    record = type_in(*STUDY, *vary, "--folder", "mine", "--json").json
    (table,) = record["interactions"]
    assert table["factors"] == ["optim.lr", "net.activation"]
    assert len(table["means"]) == 2
    assert table["changes"][0]["verdict"] in ("depends", "adds up", "undecided")
    answer = type_in("show", "mine")
    assert "optim.lr \\ net.activation" in answer.out
    assert "changes with net.activation" in answer.out


def test_first_weights_of_several_scales_are_typed_as_levels(type_in: Type) -> None:
    levels = 'net.init=["kaiming-normal", 0.5],["kaiming-normal", 2.0]'
    answer = type_in(*STUDY, "--vary", levels, "--plan", "--json")
    assert [(group["members"], group["stacked"]) for group in answer.json["groups"]] == [(4, True)]
