"""A language model goes on with a text: the same for the same seed, the likeliest at temperature 0."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from danlu.base.errors import UserError
from danlu.data.preprocessing import Preprocessing
from danlu.data.targets import Labels, Tokens
from danlu.data.text.encoders import TextEncoder
from danlu.data.vocabulary import Vocabulary
from danlu.nets import LanguageModel
from danlu.ship import Answerer, generate

LETTERS = Vocabulary(("<pad>", "<unk>", "a", "b", "c", "d"), "characters")


class NextLetter(nn.Module):
    """After each letter the one behind it in the alphabet is likeliest; without a memory."""

    def forward(self, tokens: Tensor) -> Tensor:
        return 4.0 * nn.functional.one_hot((tokens - 1) % 4 + 2, 6).float()


def model(net: nn.Module | None = None, vocabulary: Vocabulary = LETTERS) -> Answerer:
    fitted = Preprocessing(
        name="letters",
        sample_shape=(5,),
        encoder=TextEncoder(vocabulary, 1),
        target=Tokens(vocabulary),
        vocabulary=vocabulary,
    )
    return Answerer(fitted, (net or NextLetter()).eval(), torch.int64)


def test_the_likeliest_at_temperature_0() -> None:
    assert generate(model(), "ab", tokens=6, temperature=0) == "abcdabcd"
    assert generate(model(), "ab", tokens=6, temperature=5.0, top_k=1) == "abcdabcd"


def test_the_same_again_for_the_same_seed() -> None:
    texts = [generate(model(), "a", tokens=50, temperature=2.0, seed=seed) for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]


def test_reserved_tokens_are_never_drawn() -> None:
    assert set(generate(model(), "a", tokens=300, temperature=100.0)) == set("abcd")


def test_a_memory_goes_on_as_if_the_whole_text_were_read_again() -> None:
    torch.manual_seed(0)
    net = LanguageModel(vocabulary=6, hidden=16, embedding=8)

    class Forgetful(nn.Module):
        def forward(self, tokens: Tensor) -> Tensor:
            return net(tokens)[0]

    assert generate(model(net), "abc", tokens=40, seed=1) == generate(model(Forgetful()), "abc", tokens=40, seed=1)


def test_words_have_blanks_between_them() -> None:
    words = Vocabulary(("<pad>", "<unk>", "a", "b", "c", "d"), "words")
    assert generate(model(vocabulary=words), "a b", tokens=2, temperature=0) == "a b c d"


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, ("token",)),
        ("a", {"tokens": 0}, ("tokens",)),
        ("a", {"tokens": 10**9}, ("tokens",)),
        ("a", {"temperature": -1.0, "top_k": 0}, ("temperature", "top_k")),
        ("a", {"temperature": float("nan")}, ("temperature",)),
    ],
)
def test_what_cannot_be(text: str, options: dict[str, Any], words: Sequence[str]) -> None:
    with pytest.raises(UserError, match=words[0]) as refused:
        generate(model(), text, **options)
    assert all(word in str(refused.value) for word in words)


def test_only_a_language_model_goes_on() -> None:
    fitted = Preprocessing(
        name="x", sample_shape=(5,), encoder=TextEncoder(LETTERS, 1), target=Labels((0, 1)), vocabulary=LETTERS
    )
    with pytest.raises(UserError, match="classification"):
        generate(Answerer(fitted, NextLetter(), torch.int64), "a")
