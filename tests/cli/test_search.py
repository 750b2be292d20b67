"""danlu lr-find as it is typed."""

from pathlib import Path

import pytest

from command_line import Type, assert_refused

RANGE = ("lr-find", "--net", "mlp", "--data", "iris")


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
        (("--points", "2"), "at least 8", "不小于 8"),
        (("--highst", "1"), "--highest", "--highest"),
        (("optim.momentun=0.9",), "optim.momentum", "optim.momentum"),
    ],
)
def test_mistakes_of_a_range_test_are_told(
    type_in: Type, language: str, words: tuple[str, ...], english: str, chinese: str
) -> None:
    assert_refused(type_in(*RANGE, *words, "--lang", language), language, english if language == "en" else chinese)
