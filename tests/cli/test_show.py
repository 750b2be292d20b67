"""show tells of a run what was told while it trained, its findings too."""

from pathlib import Path

import pytest

from command_line import CHINESE, Type

DIVERGED = ("fit", "--net", "softmax-regression", "--data", "iris", "optim.lr=1e6", "train.epochs=3", "--name", "wild")


@pytest.mark.parametrize("words", [("show", "runs/wild"), ("show",)])
def test_findings_stand_above_the_score(words: tuple[str, ...], language: str, work: Path, type_in: Type) -> None:
    type_in(*DIVERGED)
    answer = type_in(*words, "--lang", language)
    found = type_in(*words, "--json").json["findings"]
    assert answer.code == 0
    assert found
    for finding in found:
        assert finding["rule"] in answer.out
    assert "danlu cure runs/wild" in answer.out
    assert bool(CHINESE.search(answer.out.splitlines()[-1])) == (language == "zh")
