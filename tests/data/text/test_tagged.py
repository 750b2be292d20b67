"""Texts with a tag for each token: how they are read, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.data.readers.conll import parse_conll

TOKENS = [["a", "b"], ["b", "a", "c"]] * 10
TAGS = [["X", "Y"], ["Y", "X", "X"]] * 10


def test_what_stands_once_is_unknown_unless_it_is_said_otherwise() -> None:
    tokens = [*TOKENS, ["once"]]
    tags = [*TAGS, ["X"]]
    for wanted, known in ((None, False), (1, True)):
        data = danlu.load((tokens, tags), test=0, validation=0, min_frequency=wanted)
        assert data.vocabulary is not None and ("once" in data.vocabulary.numbers) == known


def test_letters_may_be_the_tokens() -> None:
    data = danlu.load((["abba", "ab"] * 10, ["1 2 2 1", "1 2"] * 10), task="tagging", tokens="characters")
    assert data.sample_shape == (4,) and data.classes == ("1", "2")


@pytest.mark.parametrize(
    ("text", "tokens", "tags"),
    [
        ("a X\nb Y\n\n\nc X", [["a", "b"], ["c"]], [["X", "Y"], ["X"]]),
        ("-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n", [["EU", "rejects"]], [["B-ORG", "O"]]),
        ("# text = hi there\n1\thi\thi\tINTJ\t_\t_\t0\troot\t_\t_\n", [["hi"]], [["INTJ"]]),
        ("New York\tPLACE\n", [["New York"]], [["PLACE"]]),
    ],
)
def test_files_of_several_makes_are_read(text: str, tokens: Any, tags: Any) -> None:
    found = parse_conll(text, "file")
    assert (found.tokens, found.tags) == (tokens, tags)


def written(name: str, text: str) -> Callable[[Path], Any]:
    def write(folder: Path) -> Any:
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    return write


MISTAKES: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str, str]] = {
    "unmatched": (lambda _: (TOKENS, [["X"], *TAGS[1:]]), {}, "sentence 1 has 2 tokens and 1 tags", "第 1 句有 2 个"),
    "empty": (lambda _: ([*TOKENS, []], [*TAGS, []]), {}, "0 tokens", "0 个词元"),
    "one-tag": (lambda _: (TOKENS, [["X"] * len(one) for one in TOKENS]), {}, "one tag only", "只有一种标签"),
    "numbers": (lambda _: (TOKENS, [1, *TAGS[1:]]), {}, "of the type int", "类型是 int"),
    "lengths": (lambda _: (TOKENS, TAGS[:-1]), {}, "20", "20"),
    "line": (written("a.conll", "a X\nb\n"), {}, 'line 2: a token and its tag must stand there', "第 2 行"),
    "nothing": (written("a.conll", "\n\n"), {}, "a.conll", "a.conll"),
    "columns": (written("a.csv", "x,y\n1,2\n3,4\n"), {"target": "y", "task": "tagging"}, "column of tags", "标签列"),
    "task": (lambda _: (TOKENS, TAGS), {"task": "classification"}, "auto, tagging", "auto, tagging"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told(mistake: str, tmp_path: Path, language: str) -> None:
    make, options, english, chinese = MISTAKES[mistake]
    source = make(tmp_path)
    with pytest.raises(danlu.UserError, match=re.escape(english if language == "en" else chinese)):
        danlu.load(source, **options)


@pytest.mark.parametrize("net", ["mlp", "sequence-classifier", "sequence-tagger"])
def test_nets_for_other_data_are_refused(net: str, language: str) -> None:
    data = danlu.load((["abc", "ba"] * 10, ["p", "q"] * 10) if net == "sequence-tagger" else (TOKENS, TAGS))
    words = {"en": "tag for each token", "zh": "每个词元一个标签"}
    with pytest.raises(danlu.UserError, match=words[language]):
        danlu.fit(net, data, epochs=1)
