"""Running text: parts by position, pairs shifted by one, and the two ways to cut it into batches."""

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.data import Dataset, load
from danlu.data.dataset import Origin
from danlu.data.options import Options
from danlu.data.text.corpus import Corpus, CorpusDataset, corpus_dataset

CPU = torch.device("cpu")
LETTERS = "".join(chr(0x4E00 + place) for place in range(2000))  # every character once: a place in the text is a number


def corpus(text: str = LETTERS, **options: Any) -> CorpusDataset:
    return corpus_dataset("book", Corpus(text), Options(**options), Origin())


def read(data: Dataset, tokens: torch.Tensor) -> str:
    assert data.vocabulary is not None
    return data.vocabulary.decode(tokens)


@settings(max_examples=40)
@given(
    count=st.integers(60, 400),
    steps=st.integers(1, 20),
    batch_size=st.integers(1, 16),
    partition=st.sampled_from(["sequential", "random"]),
    shuffle=st.booleans(),
    start=st.integers(0, 4),
)
def test_targets_are_the_inputs_moved_on_by_one_and_epochs_have_the_batches_announced(
    count: int, steps: int, batch_size: int, partition: str, shuffle: bool, start: int
) -> None:
    data = corpus(LETTERS[:count], steps=steps, partition=partition, validation=0, test=0)
    for epoch in range(3):
        whole = list(data.batches("train", batch_size, seed=5, epoch=epoch, shuffle=shuffle, device=CPU))
        assert len(whole) == data.batch_count("train", batch_size)
        for x, y in whole:
            assert x.shape == y.shape
            assert torch.equal(x[:, 1:], y[:, :-1])
            for row_x, row_y in zip(x, y, strict=True):
                place = LETTERS.index(read(data, row_x[:1]))
                assert read(data, row_x) == LETTERS[place : place + len(row_x)]
                assert read(data, row_y) == LETTERS[place + 1 : place + 1 + len(row_x)]
        rest = list(data.batches("train", batch_size, seed=5, epoch=epoch, start=start, shuffle=shuffle, device=CPU))
        assert len(rest) == max(0, len(whole) - start)
        assert all(torch.equal(a[0], b[0]) for a, b in zip(rest, whole[start:], strict=True))


def test_sequential_rows_go_on_from_batch_to_batch() -> None:
    data = corpus(steps=7)
    assert data.continues
    for shuffle in (False, True):
        batches = list(data.batches("train", 5, seed=1, shuffle=shuffle, device=CPU))
        for (_, before), (after, _) in pairwise(batches):
            assert torch.equal(before[:, -1], after[:, 0])


def test_random_windows_cover_the_text_once_in_an_order_of_their_own() -> None:
    data = corpus(steps=7, partition="random", validation=0, test=0)
    assert not data.continues
    seen = torch.cat([x.flatten() for x, _ in data.batches("train", 8, seed=1, epoch=0, shuffle=True, device=CPU)])
    other = torch.cat([x.flatten() for x, _ in data.batches("train", 8, seed=1, epoch=1, shuffle=True, device=CPU)])
    assert len(seen.unique()) == len(seen) >= 2000 - 2 * 7
    assert not torch.equal(seen, other)


def test_a_shuffled_epoch_begins_somewhere_else_each_time() -> None:
    data = corpus(steps=10)
    firsts = {
        read(data, next(data.batches("train", 4, epoch=epoch, shuffle=True, device=CPU))[0][0, :1])
        for epoch in range(12)
    }
    assert 1 < len(firsts) <= 10


def test_the_end_of_the_book_is_held_out() -> None:
    data = corpus(steps=5)
    read_back = {part: read(data, data.corpora[part]) for part in data.corpora}
    assert read_back["train"] == LETTERS[:1400]
    assert [len(data.corpora[part]) for part in ("validation", "test")] == [200, 400]
    assert (data.corpora["validation"] == 1).all(), "every later character is unknown: the vocabulary is training's"
    assert [note.id for note in data.notes] == ["data.unknown-tokens"] * 2
    assert data.outputs == 1402 == len(data.vocabulary or ())


def test_every_token_but_the_last_few_is_scored() -> None:
    data = corpus(steps=7, validation=0, test=0)
    scored = sum(y.numel() for _, y in data.batches("train", 10, device=CPU))
    assert 2000 - 7 - 10 <= scored <= 1999


def test_a_text_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    plain, zipped = tmp_path / "book.txt", tmp_path / "book.txt.gz"
    plain.write_bytes("Grüße, 世界!\r\n".encode() * 50)
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    data, same = load(plain), load(str(zipped))
    assert (data.name, data.task, data.sample_shape) == ("book", "language", (35,))
    assert data.fingerprint() == same.fingerprint() != load(plain, steps=20).fingerprint()
    x, y = next(data.batches("train", 4, device=CPU))
    assert (x.dtype, y.shape) == (torch.int64, x.shape)
    assert data.decode(x[0]) == ("Grüße, 世界!\n" * 5)[:35]
    words = load(plain, tokens="words", steps=8)
    assert words.vocabulary is not None
    assert set(words.vocabulary.tokens) == {"<pad>", "<unk>", "<eos>", "Grüße", ",", "世界", "!"}
    assert words.recipe is not None
    assert (words.recipe.path, words.recipe.tokens, words.recipe.steps) == (str(plain), "words", 8)


def test_text_in_two_encodings_is_refused(tmp_path: Path, language: str) -> None:
    (tmp_path / "book.txt").write_bytes("第一行\n".encode() + "第二行".encode("gbk"))
    words = {"en": r"book.txt: this is not a text file, .*: line 2 has the byte 0x", "zh": r"无法识别它的编码：第 2 行"}
    with pytest.raises(UserError, match=words[language]):
        load(tmp_path / "book.txt")


def test_a_damaged_gzip_and_an_empty_text_are_refused(tmp_path: Path, language: str) -> None:
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"words " * 1000)[:-20])
    (tmp_path / "empty.txt").write_bytes(b" \n")
    with pytest.raises(UserError, match={"en": "cut off or damaged", "zh": "不完整或已损坏"}[language]):
        load(tmp_path / "cut.txt.gz")
    with pytest.raises(UserError, match={"en": "the file is empty", "zh": "文件是空的"}[language]):
        load(tmp_path / "empty.txt")


def test_a_text_too_short_for_its_samples_is_refused(language: str) -> None:
    words = {
        "en": "validation part of the text has 10 tokens: .* need 36",
        "zh": "验证集只有 10 个词元.*36 个",
    }
    with pytest.raises(UserError, match=words[language]):
        corpus(LETTERS[:100])


def test_a_text_has_no_folds(language: str, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("words and more " * 100, encoding="utf-8")
    words = {"en": "held out at its end", "zh": "总是把末尾留作验证和测试"}
    with pytest.raises(UserError, match=words[language]):
        next(load(tmp_path / "book.txt").folds(3))


@pytest.mark.parametrize("train", [False, True])
def test_wikitext_takes_the_training_file_where_it_is(tmp_path: Path, train: bool) -> None:
    line = " = Title = \n words <unk> more words here \n"
    for part, times in (("train", 40), ("valid", 20), ("test", 10)):
        if train or part != "train":
            (tmp_path / f"wikitext2.{part}.txt.gz").write_bytes(gzip.compress((line * times).encode()))
    data = load("wikitext-2", root=str(tmp_path), steps=4)
    assert isinstance(data, CorpusDataset)
    assert len(data.corpora["test"]) == 100
    if train:
        assert (len(data.corpora["train"]), len(data.corpora["validation"]), data.notes) == (400, 200, ())
    else:
        assert (len(data.corpora["train"]), len(data.corpora["validation"])) == (180, 20)
        assert [note.id for note in data.notes] == ["data.trained-on-validation"]
    assert "<unk>" in (data.vocabulary.tokens if data.vocabulary else ())
