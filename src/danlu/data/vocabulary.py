"""A vocabulary: the tokens a text is cut into, and the number of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from danlu.data.tokens import END_OF_LINE, RESERVED, UNKNOWN, cut


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Tokens in the order of their numbers, the reserved ones first: "<pad>" is 0, "<unk>" is 1.

    `kind` is "characters" or "words". A token that is not there gets the number of "<unk>".

    >>> vocabulary = Vocabulary.of([list("abba"), list("ac")], "characters", min_frequency=2)
    >>> vocabulary.tokens, vocabulary.decode(vocabulary.encode("cab"))
    (('<pad>', '<unk>', 'a', 'b'), '<unk>ab')
    """

    tokens: tuple[str, ...]
    kind: str
    spaced: bool = False

    @classmethod
    def of(
        cls,
        texts: Iterable[Sequence[str]],
        kind: str,
        *,
        min_frequency: int = 1,
        reserved: tuple[str, ...] = RESERVED,
        spaced: bool = False,
    ) -> "Vocabulary":
        """The vocabulary of texts already cut into tokens: frequent ones first, equally frequent ones by spelling."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        kept = [token for token, count in counts.items() if count >= min_frequency and token not in reserved]
        kept.sort(key=lambda token: (-counts[token], token))
        return cls((*reserved, *kept), kind, spaced)

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def numbers(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    def encode_tokens(self, tokens: Iterable[str]) -> Tensor:
        """The numbers of tokens, int64 [T]."""
        unknown = self.numbers[UNKNOWN]
        return torch.tensor([self.numbers.get(token, unknown) for token in tokens], dtype=torch.int64)

    def encode(self, text: str) -> Tensor:
        """The numbers of the tokens of `text`, int64 [T]."""
        return self.encode_tokens(cut(text, self.kind, spaced=self.spaced))

    def decode(self, numbers: Tensor) -> str:
        """The text that numbers [T] stand for; padding is left out, words come with one blank between them."""
        words = [self.tokens[number] for number in numbers.flatten().tolist() if number != 0]
        if self.kind == "characters":
            return "".join(words)
        return " ".join("\n" if word == END_OF_LINE else word for word in words)

    def facts(self) -> dict[str, Any]:
        return {"size": len(self), "kind": self.kind, "most_frequent": list(self.tokens[2:12])}
