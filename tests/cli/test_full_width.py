"""Full-width signs, as Chinese keyboards type them, in options and settings: it is told what to write."""

from pathlib import Path

import pytest

from command_line import TABLE, Type, assert_refused

MEANT = {
    "——target": "--target",
    "－－target": "--target",
    "--target＝y": "--target=y",
    "train。epochs=3": "train.epochs=3",
    "train.epochs＝3": "train.epochs=3",
    "train.epochs=３": "train.epochs=3",
    "optim.lr=０．01": "optim.lr=0.01",
    "net.hidden=[64，32]": '"net.hidden=[64,32]"',
}


@pytest.mark.parametrize("word", MEANT)
def test_what_to_write_is_told(word: str, language: str, type_in: Type) -> None:
    fault = assert_refused(type_in("fit", "t.csv", word, "--lang", language), language, word)
    assert fault.endswith(MEANT[word])


def test_a_column_may_have_full_width_signs_in_its_name(work: Path, type_in: Type) -> None:
    (work / "t.csv").write_text(TABLE.replace("y\n", "身高（厘米）＝y\n", 1), encoding="utf-8")
    answer = type_in("data", "t.csv", "data.target=身高（厘米）＝y", "--lang", "zh")
    assert answer.code == 0, answer.err
