"""Labelled texts of different length, as padded numbers."""

from pathlib import Path

import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import load

CPU = torch.device("cpu")
TEXTS = ["ab", "abc", "b", "cab", "bca", "a", "abcabc", "cc", "ba", "ac", "bc", "aab"]
LABELS = ["x", "y"] * 6


def test_texts_become_padded_numbers_with_their_labels() -> None:
    data = load((TEXTS, LABELS), validation=0, test=0)
    x, y = next(data.batches("train", 12, device=CPU))
    assert (data.task, data.classes, data.sample_shape) == ("classification", ("x", "y"), (6,))
    assert (x.dtype, y.dtype) == (torch.int64, torch.int64)
    assert data.vocabulary is not None
    assert [data.vocabulary.decode(row) for row in x] == TEXTS
    assert data.decode(y).tolist() == LABELS  # type: ignore[union-attr]
    assert torch.equal(x == 0, torch.arange(6) >= torch.tensor([[len(text)] for text in TEXTS]))


def test_the_vocabulary_is_that_of_the_training_part() -> None:
    texts = [*TEXTS[:11], "zzz"]
    for seed in range(20):
        data = load((texts, LABELS), split_seed=seed, test=0.3)
        assert data.vocabulary is not None
        x = torch.cat([x for x, _ in data.batches("train", 12, device=CPU)])
        assert ("z" in data.vocabulary.tokens) == any("z" in data.vocabulary.decode(row) for row in x)
        assert (x != 1).all()


def test_texts_to_predict_are_encoded_the_same_way() -> None:
    data = load((TEXTS, LABELS), validation=0, test=0)
    assert data.encode("abq").tolist() == [[*data.encode("ab")[0, :2].tolist(), 1, 0, 0, 0]]
    assert data.encode(["a", "abcabcabc"]).shape == (2, 9)


def test_words_and_rare_ones_and_long_texts() -> None:
    texts = ["good film indeed", "bad film", "good plot", "bad plot"]
    data = load((texts, [1, 0, 1, 0]), tokens="words", min_frequency=2, steps=2, validation=0, test=0)
    assert data.vocabulary is not None
    assert set(data.vocabulary.tokens) == {"<pad>", "<unk>", "bad", "film", "good", "plot"}
    assert data.sample_shape == (2,)
    assert "data.texts-cut" in [note.id for note in data.notes]


@pytest.mark.parametrize("texts", [["ab", " ", "c", "d"], ["ab", "", "c", "d"]])
def test_empty_texts_are_refused(texts: list[str], language: str) -> None:
    words = {"en": "Texts that are empty: 1, the first in row 2", "zh": "有 1 条文本是空的，第一条在第 2 行"}
    with pytest.raises(UserError, match=words[language]):
        load((texts, [0, 1, 0, 1]))


def test_what_is_no_text_cannot_be_encoded(language: str) -> None:
    data = load((TEXTS, LABELS))
    words = {"en": "a value of the type int was given", "zh": "却得到了 int 类型的值"}
    with pytest.raises(UserError, match=words[language]):
        data.encode([3])


def write_names(folder: Path) -> Path:
    rows = [f'"Na{letter}","{nation}"\n' for letter in "abcdefghij" for nation in ("Czech", "Irish")]
    (folder / "names_train.csv").write_text("".join(rows), encoding="utf-8")
    (folder / "names_test.csv").write_text('"Nab\n","Irish"\n"Zoë","Czech"\n', encoding="utf-8")
    return folder


def test_surnames_keep_their_official_test_part(tmp_path: Path) -> None:
    data = load("names", root=str(write_names(tmp_path)))
    assert data.sizes == {"train": 18, "validation": 2, "test": 2}
    assert data.vocabulary is not None
    x, y = next(data.batches("test", 2, device=CPU))
    assert data.vocabulary.decode(x[0]) == "Nab"
    assert data.vocabulary.decode(x[1]) == "<unk><unk><unk>"
    assert data.decode(y).tolist() == ["Irish", "Czech"]  # type: ignore[union-attr]


def test_surnames_without_their_test_file_are_refused(tmp_path: Path, language: str) -> None:
    (write_names(tmp_path) / "names_test.csv").unlink()
    words = {"en": "names_test.csv: there is no such file", "zh": "names_test.csv：找不到这个文件"}
    with pytest.raises(UserError, match=words[language]):
        load("names", root=str(tmp_path))


def test_a_nation_that_only_the_test_part_has_is_refused(tmp_path: Path, language: str) -> None:
    (write_names(tmp_path) / "names_test.csv").write_text('"Ann","Elvish"\n', encoding="utf-8")
    words = {"en": "classes that the training part lacks: Elvish", "zh": "训练集中没有的类别：Elvish"}
    with pytest.raises(UserError, match=words[language]):
        load("names", root=str(tmp_path))
