"""danlu exercise: deal, list, hint, check; every mistake is one sentence."""

from pathlib import Path

import pytest

from command_line import CHINESE, Type, assert_refused


@pytest.mark.slow
@pytest.mark.every(2)
def test_from_the_script_to_the_verdict(language: str, work: Path, type_in: Type) -> None:
    dealt = type_in("exercise", "poppy", "--lang", language)
    assert dealt.code == 0
    assert "exercise-poppy.py" in dealt.out
    assert bool(CHINESE.search(dealt.out)) == (language == "zh")
    checked = type_in("exercise", "--check", "exercise-poppy.py", "--lang", language)
    assert checked.code == 1
    assert "--hint" in checked.out
    assert "broadcast" not in checked.out
    path = work / "exercise-poppy.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("model(x[index]) - y", "model(x[index]).squeeze(1) - y"), encoding="utf-8")
    solved = type_in("exercise", "--check", "exercise-poppy.py", "--json").json
    assert solved["solved"] is True
    assert solved["score"] >= solved["wanted"] == 0.3
    listed = type_in("exercise", "--list", "--json").json["exercises"]
    assert [one["exercise"] for one in listed if one["solved"]] == ["poppy"]
    assert "1" in type_in("exercise", "--list", "--lang", language).out.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.every(2)
def test_hints_and_errors_of_the_script(language: str, work: Path, type_in: Type) -> None:
    told = [type_in("exercise", "amber", "--hint", "--lang", language).out for _ in range(3)]
    assert len(set(told)) == 3
    assert type_in("exercise", "amber", "--hint", "--json").json["number"] == 3
    (work / "exercise-amber.py").write_text("print('before')\nundefined\n", encoding="utf-8")
    answer = type_in("exercise", "--check", "exercise-amber.py", "--lang", language)
    assert answer.code == 1
    assert "NameError" in answer.out
    assert "danlu/claims" not in answer.out
    assert "before" in answer.err
    told = type_in("exercise", "--check", "exercise-amber.py", "--json")
    assert "NameError" in told.json["crash"]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (("ambre",), ("ambre", "amber")),
        (("amber", "basil"), ("basil",)),
        (("--level", "7"), ("7",)),
        (("--level", "x"), ("x",)),
        (("amber", "--level", "1"), ("amber", "1")),
        (("--hint",), ("--hint",)),
        (("amber", "--list"), ("amber",)),
        (("--list", "--hint"), ("--hint, --list",)),
        (("--check", "none.py"), ("none.py",)),
        (("--check", ""), ("work",)),
        (("--check", "a\0b.py"), (".py",)),
        (("--level", ""), ("1",)),
        (("--level", "-0"), ("-0",)),
        (("amber", "--check", "none.py"), ("amber",)),
        (("--check", "."), ("work",)),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    tokens: tuple[str, ...], words: tuple[str, ...], language: str, work: Path, type_in: Type
) -> None:
    assert_refused(type_in("exercise", *tokens, "--lang", language), language, *words)
    assert list(work.iterdir()) == []
