"""Vocabularies: what is kept, in which order, and the way there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.data.tokens import RESERVED, cut
from danlu.data.vocabulary import Vocabulary


@given(st.text(min_size=1, max_size=80))
def test_characters_come_back_as_they_were(text: str) -> None:
    vocabulary = Vocabulary.of([cut(text, "characters")], "characters")
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.tokens[:2] == RESERVED
    assert len(vocabulary) == 2 + len(set(text))


def test_frequent_tokens_come_first_and_rare_ones_are_unknown() -> None:
    words = cut("the cat and the dog and the end", "words")
    vocabulary = Vocabulary.of([words], "words", min_frequency=2)
    assert vocabulary.tokens == ("<pad>", "<unk>", "the", "and")
    assert vocabulary.encode("the cat").tolist() == [2, 1]


def test_the_order_does_not_depend_on_the_order_of_the_texts() -> None:
    texts = [list("banana"), list("cherry"), list("apple")]
    assert Vocabulary.of(texts, "characters").tokens == Vocabulary.of(texts[::-1], "characters").tokens


@pytest.mark.parametrize(
    ("text", "spaced", "tokens"),
    [
        ("Don't stop-now, Anna!", False, ["Don't", "stop-now", ",", "Anna", "!"]),
        ("one\ntwo", False, ["one", "<eos>", "two"]),
        ("a <unk> b\n = c = ", True, ["a", "<unk>", "b", "<eos>", "=", "c", "="]),
    ],
)
def test_words_are_cut_at_blanks_and_punctuation(text: str, spaced: bool, tokens: list[str]) -> None:
    assert cut(text, "words", spaced=spaced) == tokens


def test_words_come_back_with_blanks_and_line_ends() -> None:
    vocabulary = Vocabulary.of([cut("one two\nthree", "words")], "words")
    assert vocabulary.decode(vocabulary.encode("one two\nthree")) == "one two \n three"
    assert vocabulary.encode("one seven").tolist()[1] == 1
