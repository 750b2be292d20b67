"""danlu lr-find and danlu compare --search as they are typed."""

from pathlib import Path

import pytest

from command_line import Type, assert_refused

RANGE = ("lr-find", "--net", "mlp", "--data", "iris")


@pytest.mark.every(2)
def test_rates_are_tried_and_nothing_is_written(type_in: Type, language: str, work: Path) -> None:
    answer = type_in(*RANGE, "--points", "12", "--steps", "20", "--lang", language)
    assert answer.code == 0
    assert {"en": "Suggested:", "zh": "建议学习率："}[language] in answer.out
    assert type_in(*RANGE, "--json", "optim.name=adam").json["settings"]["optim.name"] == "adam"
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        (("--lowest", "1", "--highest", "0.1"), "must come first", "较小的一端"),
        (("--points", "many"), "must be a number", "应为数字"),
        (("--points", "2"), "a whole number from 8", "应为 8 到"),
        (("--highst", "1"), "--highest", "--highest"),
        (("optim.momentun=0.9",), "optim.momentum", "optim.momentum"),
    ],
)
def test_mistakes_of_a_range_test_are_told(
    type_in: Type, language: str, words: tuple[str, ...], english: str, chinese: str
) -> None:
    assert_refused(type_in(*RANGE, *words, "--lang", language), language, english if language == "en" else chinese)


SEARCH = ("compare", "--net", "mlp", "--data", "iris", "train.epochs=4")
RATE = ("--search", "optim.lr=1e-4..1")


@pytest.mark.every(2)
def test_a_search_is_shown_and_shown_again(type_in: Type, language: str) -> None:
    answer = type_in(*SEARCH, *RATE, "--trainings", "8", "--folder", "mine", "--lang", language)
    assert answer.code == 0
    assert {"en": "best: optim.lr=", "zh": "最佳：optim.lr="}[language] in answer.out
    assert {"en": "round 1: 8 trials", "zh": "第 1 轮搜索：8 次试验"}[language] in answer.err
    assert type_in("show", "mine", "--lang", language).out == answer.out
    record = type_in("resume", "mine", "--json").json
    assert record == type_in("show", "mine", "--json").json
    assert record["best"]["factors"] == record["trials"][0]["factors"]
    assert Path("mine/best.toml").is_file()


def test_the_best_recipe_is_one_to_train_with(type_in: Type) -> None:
    assert type_in(*SEARCH, *RATE, "--trainings", "4", "--folder", "mine", "--json").code == 0
    assert type_in("fit", "mine/best.toml", "--json").json["finished"]


def test_a_plan_of_a_search_trains_nothing(type_in: Type, work: Path) -> None:
    answer = type_in(*SEARCH, *RATE, "--search", "optim.momentum=0..0.9", "--plan")
    assert "64 trials in 4 rounds" in answer.out
    assert type_in(*SEARCH, *RATE, "--plan", "--json").json["search"]["rungs"] == [1, 2]
    assert list(work.iterdir()) == []


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        (("--search", "optim.lr=1..1e-4"), "the lower end must come first", "较小的一端"),
        (("--search", "optim.lrr=1e-4..1"), '"optim.lr"', '"optim.lr"'),
        (("--search", "optim.lr"), "write a setting and its range", "它的范围"),
        (("--search", "optim.lr=small"), "is no range", "不是范围"),
        (("--search", "net.activation=1..2"), "is no number", "不是数值"),
        ((*RATE, "--trainings", "0"), "trainings is 0; it must be a whole number from 1", "trainings 的值是 0"),
        ((*RATE, "--trainings", "few"), "must be a number", "应为数字"),
        ((*RATE, "--minutes", "0"), "minutes is 0.0; it must be a number above 0", "minutes 的值是 0.0"),
        ((*RATE, "--vary", "optim.lr=1,2"), "--vary", "--vary"),
        ((*RATE, "--margin", "0.1", "--share-order"), "--margin, --share-order", "--margin, --share-order"),
        (("--vary", "optim.lr=0.1,1", "--trainings", "8"), "the budget of a search", "搜索的预算"),
    ],
)
def test_mistakes_of_a_search_are_told(
    type_in: Type, language: str, words: tuple[str, ...], english: str, chinese: str
) -> None:
    assert_refused(type_in(*SEARCH, *words, "--lang", language), language, english if language == "en" else chinese)
