"""danlu check as it is typed."""

import pytest

from command_line import CHINESE, Type, assert_refused


@pytest.mark.every(2)
def test_a_healthy_recipe_passes(type_in: Type, language: str) -> None:
    answer = type_in("check", "--net", "mlp", "--data", "iris", "--lang", language)
    assert answer.code == 0
    assert answer.err == ""
    assert len(answer.out.splitlines()) == 10
    assert bool(CHINESE.search(answer.out)) == (language == "zh")


@pytest.mark.every(2)
def test_a_recipe_that_cannot_learn_ends_with_1(type_in: Type, language: str) -> None:
    answer = type_in(
        "check", "--net", "mlp", "--data", "digits", "optim.lr=20", "train.batch_size=32", "--lang", language
    )
    assert answer.code == 1
    assert "lr-too-high" in answer.out


def test_one_object_for_json(type_in: Type) -> None:
    answer = type_in("check", "--net", "mlp", "--data", "digits", "optim.lr=20", "train.batch_size=32", "--json")
    assert answer.code == 1
    assert answer.json["passed"] is False
    assert answer.json["findings"][0]["remedies"]


def test_nothing_is_left_behind(type_in: Type, work: object) -> None:
    type_in("check", "--net", "mlp", "--data", "iris")
    assert list(work.iterdir()) == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nowhere.toml",), "nowhere.toml"), (("--net", "mpl"), "mlp"), (("optim.lr=fast",), "optim.lr")],
)
def test_mistakes_are_refused(type_in: Type, words: tuple[str, ...], said: str, language: str) -> None:
    assert_refused(type_in("check", *words, "--lang", language), language, said)
