"""danlu draw: files for what can be drawn, one sentence for what cannot."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from command_line import CHINESE, SOFTMAX, Type, assert_refused, snapshot


def words_in(path: Path) -> str:
    return " ".join(element.text or "" for element in ET.parse(path).getroot().iter())


def test_a_net_by_name_with_options_and_a_shape(language: str, work: Path, type_in: Type) -> None:
    answer = type_in("draw", "MLP", "--shape", "3x8x8", "net.hidden=[17]", "--lang", language)
    assert answer.code == 0
    assert "mlp.svg" in answer.out
    assert bool(CHINESE.search(answer.out)) == (language == "zh")
    words = words_in(work / "mlp.svg")
    assert {"192", "17"} <= set(words.replace("×", " ").split()) or "3×8×8" in words
    assert "输出" in words if language == "zh" else "output" in words


def test_the_data_say_what_goes_in(work: Path, type_in: Type) -> None:
    assert type_in("draw", "lenet5", "--data", "digits", "--file", "new/a.svg", "--json").json == {
        "file": "new/a.svg",
        "notes": [],
    }
    assert "1×8×8" in words_in(work / "new" / "a.svg")


def test_an_expression_with_its_values(work: Path, type_in: Type) -> None:
    answer = type_in("draw", "--expression", "(w*x - y)**2", "w=2", "x=3", "y=5", "--file", "e.png")
    assert (answer.code, answer.out) == (0, "e.png is written.\n")
    assert (work / "e.png").read_bytes().startswith(b"\x89PNG")


def test_runs_by_kind_and_over_each_other(work: Path, type_in: Type) -> None:
    for name in ("one", "two"):
        assert type_in(*SOFTMAX, "train.epochs=1", "--name", name).code == 0
    assert type_in("draw", "runs/one").out == "one.svg is written.\n"
    assert type_in("draw", "runs/one", "--kind", "confusion").out == "one-confusion.svg is written.\n"
    assert type_in("draw", "runs/one", "--kind", "net").code == 0
    assert "1×8×8" in words_in(work / "one-net.svg")
    assert type_in("draw", "runs/one", "runs/two").out == "runs.svg is written.\n"
    drawn = words_in(work / "runs.svg")
    assert "one" in drawn
    assert "two" in drawn
    before = snapshot(work)
    assert_refused(type_in("draw", "runs/one", "--kind", "forest"), "en", "forest", "curves")
    assert_refused(type_in("draw", "one"), "en", "runs/one")
    assert_refused(type_in("draw", "runs/one", "net.hidden=3"), "en", "net.hidden=3")
    assert snapshot(work) == before


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ((), ("--expression",)),
        (("resnte18",), ("resnte18", "resnet18")),
        (("runs/none",), ("runs/none",)),
        (("lenet5", "--kind", "flow"), ("flow", "lenet5")),
        (("lenet5", "optim.lr=1"), ("optim.lr=1",)),
        (("mlp", "net.hiden=3"), ("net.hiden", "hidden")),
        (("lenet5", "mlp"), ("lenet5 mlp",)),
        (("lenet5", "--shape", "3x"), ("3x", "3x224x224")),
        (("lenet5", "--shape", "8"), ("lenet5", "8")),
        (("lenet5", "--shape", "1x8x8", "--data", "digits"), ("--shape 1x8x8", "--data digits")),
        (("lenet5", "--boxes", "many"), ("many", "150")),
        (("lenet5", "--file", "a.jpg"), ("a.jpg", ".svg")),
        (("--expression", "w*x", "w=2", "x=two"), ("x=two",)),
        (("--expression", "w*x", "w=2"), ("x=1",)),
        (("--expression", "w*"), ("w*",)),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    tokens: tuple[str, ...], words: tuple[str, ...], language: str, work: Path, type_in: Type
) -> None:
    assert_refused(type_in("draw", *tokens, "--lang", language), language, *words)
    assert list(work.iterdir()) == []
