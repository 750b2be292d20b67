"""Targets that are texts, written token by token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
import torch
from torch import Tensor

from danlu.base.token_numbers import END
from danlu.data.tokens import RESERVED
from danlu.data.vocabulary import Vocabulary

WRITTEN = (*RESERVED, "<start>", "<end>")
"""The reserved tokens of a vocabulary whose texts are written, by the numbers of `danlu.base.token_numbers`."""


@dataclass(frozen=True)
class WrittenText:
    """The target of a translation: a text, written token by token.

    >>> words = Vocabulary((*WRITTEN, "a", "b"), "characters")
    >>> WrittenText(words).decode(torch.tensor([[5, 4, 3, 0], [4, 5, 4, 5]])).tolist()
    ['ba', 'abab']
    """

    task: ClassVar[str] = "translation"
    vocabulary: Vocabulary

    @property
    def outputs(self) -> int:
        return len(self.vocabulary)

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        """Tokens [N, T] as texts, each up to its end."""
        found: list[str] = []
        for tokens in outputs.tolist():
            last = tokens.index(END) if END in tokens else len(tokens)
            found.append(self.vocabulary.decode(torch.tensor(tokens[:last], dtype=torch.int64)))
        return numpy.array(found, dtype=object)

    def encode(self, texts: Sequence[str]) -> list[Tensor]:
        """The numbers of the tokens of each text, and of its end.

        >>> [one.tolist() for one in WrittenText(Vocabulary((*WRITTEN, "a"), "characters")).encode(["aa", "ab"])]
        [[4, 4, 3], [4, 1, 3]]
        """
        return [torch.cat([self.vocabulary.encode(text), torch.tensor([END])]) for text in texts]

    def facts(self) -> dict[str, Any]:
        return {"target_vocabulary": self.vocabulary.facts()}
