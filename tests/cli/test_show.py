"""show tells of a run what was told while it trained, its findings too."""

from pathlib import Path

import pytest

from command_line import CHINESE, Type

DIVERGED = ("fit", "--net", "softmax-regression", "--data", "iris", "optim.lr=1e6", "train.epochs=3", "--name", "wild")


@pytest.mark.every(2)
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


@pytest.mark.every(2)
def test_what_a_language_model_wrote_is_shown(language: str, work: Path, type_in: Type) -> None:
    (work / "book.txt").write_text("the time traveller smiled round at us\n" * 60, encoding="utf-8")
    small = ("train.epochs=2", "net.hidden=8", "net.embedding=8", "train.batch_size=8", "--name", "book")
    type_in("fit", "--net", "language-model", "--data", "book.txt", *small)
    answer = type_in("show", "runs/book", "--lang", language)
    (first, last) = type_in("show", "runs/book", "--json").json["texts"]
    assert ("After epoch 2" if language == "en" else "第 2 轮之后") in answer.out
    assert (last["prompt"] + last["text"]).splitlines()[0] in answer.out
    assert first["epoch"] == 1
    assert first["prompt"] in (work / "runs" / "book" / "report.html").read_text(encoding="utf-8")
