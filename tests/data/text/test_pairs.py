"""Pairs of texts: how they are told from texts with classes, what is made of them, and what is refused."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import danlu
from danlu.base.ignored import IGNORED
from danlu.base.token_numbers import END, START
from danlu.data import Dataset
from danlu.data.plain import from_plain, to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.raw import raw_samples
from danlu.data.text.encoders import SourceEncoder
from danlu.data.written_text import WrittenText

ROWS = [(f"cat {number}", f"{number} tac") for number in range(60)]


def table(place: Path, rows: list[tuple[str, str]] = ROWS, names: str = "left,right") -> Path:
    path = place / "pairs.csv"
    path.write_text("\n".join([names, *(f"{left},{right}" for left, right in rows)]), encoding="utf-8")
    return path


def told(data: Dataset) -> str:
    return " ".join(map(str, data.notes))


def test_two_columns_of_texts_are_pairs_where_most_targets_stand_there_once(tmp_path: Path) -> None:
    found = danlu.load(table(tmp_path), "right")
    assert found.task == "translation"
    assert 'turn "left" into "right"' in told(found)
    assert "data.task to classification" in told(found)
    back = danlu.load(table(tmp_path), "left")
    assert 'turn "right" into "left"' in told(back)
    assert danlu.load(table(tmp_path)).sizes == found.sizes
    classes = [(left, "odd" if int(left[4:]) % 2 else "even") for left, _ in ROWS]
    assert danlu.load(table(tmp_path, classes), "right").task == "classification"
    asked = danlu.load(table(tmp_path, classes), "right", task="translation")
    assert asked.task == "translation"
    assert "data.task" not in told(asked)


def test_lists_of_texts_are_pairs_by_the_same_rule() -> None:
    left, right = [list(column) for column in zip(*ROWS, strict=True)]
    assert danlu.load((left, right)).task == "translation"
    assert danlu.load((left, ["even", "odd"] * 30)).task == "classification"
    assert danlu.load((left, ["even", "odd"] * 30), task="translation").task == "translation"
    parts = danlu.load({"train": (left, right), "test": (left[:5], right[:5])})
    assert parts.sizes["test"] == 5


def test_dates_and_numbers_stay_as_they_are_spelled(tmp_path: Path) -> None:
    rows = [(f"{day} March 2021", f"2021-03-{day:02}") for day in range(1, 29)]
    path = table(tmp_path, rows)
    assert danlu.load(path, "right", task="translation", tokens="words").task == "translation"
    raw = raw_samples(danlu.load(path, "right", task="translation"), "test")
    assert all((one, other) in rows for one, other in zip(raw.samples, raw.targets or [], strict=True))


def test_what_the_decoder_is_given_is_its_target_behind_a_start() -> None:
    data = danlu.load((["ab", "b", "ba"] * 10, ["xyz", "x", "zy"] * 10), task="translation", tokens="characters")
    assert isinstance(data.target, WrittenText)
    for x, y in data.batches("train", 4, device=torch.device("cpu")):
        for (source, given), target in zip(x, y, strict=True):
            text = target[target != IGNORED]
            assert given[0] == START
            assert text[-1] == END
            assert torch.equal(given[1 : len(text)], text[:-1])
            assert not given[len(text) :].any()
            pair = (data.vocabulary.decode(source) if data.vocabulary else "", data.target.decode(text[None])[0])
            assert pair in (("ab", "xyz"), ("b", "x"), ("ba", "zy"))


def test_vocabularies_are_those_of_the_training_part() -> None:
    train = (["a b c d"] * 20, ["A B C D"] * 20)
    data = danlu.load({"train": train, "validation": train, "test": (["a q c d"], ["A Q C D"])}, task="translation")
    assert data.vocabulary is not None
    assert data.vocabulary.kind == "words"
    (x, y), *_ = data.batches("test", 4, device=torch.device("cpu"))
    assert int((x[:, 0] == 1).sum()) == int((y == 1).sum()) == 1
    assert data.encode(["a q"]).tolist()[0][:2] == [data.vocabulary.numbers["a"], 1]


def test_the_preprocessing_comes_back_from_plain_values(tmp_path: Path) -> None:
    fitted = Preprocessing.of(danlu.load(table(tmp_path), "right"))
    again = from_plain(to_plain(fitted))
    assert isinstance(again.encoder, SourceEncoder)
    assert again.encoder.columns == ("left", "right")
    assert torch.equal(again.encode(["cat 7"]), fitted.encode(["cat 7"]))
    assert to_plain(again) == to_plain(fitted)


def test_content_and_vocabulary_make_the_fingerprint() -> None:
    def print_of(letters: str) -> str:
        right = [text.translate(str.maketrans("abc", letters)) for text in ("abc", "ab", "ca", "b")]
        return danlu.load((["p q", "q", "q p", "p"] * 5, right * 5), task="translation").fingerprint()

    assert print_of("abc") == print_of("abc") != print_of("xyz")


@pytest.mark.parametrize("fold", [0, 2])
def test_there_are_folds(fold: int) -> None:
    left, right = [list(column) for column in zip(*ROWS, strict=True)]
    data = danlu.load((left, right))
    assert list(data.folds(3))[fold].sizes["validation"] == (data.sizes["train"] + data.sizes["validation"]) // 3


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ((["a b", ""] * 10, ["x", "y"] * 10), {"task": "translation"}, "lack one of their two texts: 10"),
        ((["a b", "c"] * 10, ["x", " "] * 10), {"task": "translation"}, "lack one of their two texts: 10"),
        ((["a", "b"], ["x"]), {"task": "translation"}, "2.*1"),
        ((["a b", "c"] * 10, [1, 2] * 10), {"task": "translation"}, "lack one of their two texts: 20"),
        (([[1.0], [2.0]] * 10, [0, 1] * 10), {"task": "translation"}, "translation"),
        (([[1.0], [2.0]] * 10, [0, 1] * 10), {"task": "tagging"}, "tagging"),
        ("iris", {"task": "translation"}, "two columns"),
        ((["a b", "c d"] * 10, ["x y", "z"] * 10), {"task": "translation", "standardise": True}, "standardise"),
    ],
)
def test_what_is_no_pairs_is_refused(source: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(danlu.UserError, match=words):
        danlu.load(source, **options)


def test_a_table_says_where_a_text_is_missing(tmp_path: Path) -> None:
    path = table(tmp_path, [*ROWS[:4], ("", "x"), *ROWS[5:]])
    with pytest.raises(danlu.UserError, match="line 6"):
        danlu.load(path, "right", task="translation")
    path.write_text("a,b,c\n1,2,3\n4,5,6\n", encoding="utf-8")
    with pytest.raises(danlu.UserError, match=re.escape("two columns, the source and the target")):
        danlu.load(path, "c", task="translation")


def test_long_texts_are_cut_where_that_is_asked_for() -> None:
    left, right = [list(column) for column in zip(*ROWS, strict=True)]
    data = danlu.load((left, right), task="translation", steps=3)
    assert data.sample_shape == (2, 4)
    assert "120" in told(data)
    assert raw_samples(data, "test").samples[0].startswith("cat ")
