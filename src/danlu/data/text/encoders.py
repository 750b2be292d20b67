"""What turns texts, and what stands beside them, into numbers of tokens: all that an answer needs of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from danlu.base.errors import fail
from danlu.base.ignored import IGNORED
from danlu.base.token_numbers import PADDING, START
from danlu.data.place_labels import TokenLabels
from danlu.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class TextEncoder:
    """Texts to numbers of tokens, padded with 0 at the end.

    >>> encoder = TextEncoder(Vocabulary(("<pad>", "<unk>", "a", "b"), "characters"), length=3)
    >>> encoder.encode(["ab", "abba"]).tolist()
    [[2, 3, 0, 0], [2, 3, 3, 2]]
    """

    vocabulary: Vocabulary
    length: int

    def encode(self, raw: Any) -> Tensor:
        """One text or several, or lists of tokens, as int64 [N, T]; T is `length`, or that of the longest text where it
        is longer.
        """
        texts: list[Any] = [raw] if isinstance(raw, str) else list(raw)
        if not texts:
            fail("data.no-samples")
        if all(isinstance(text, list | tuple) for text in texts):
            return pad_tokens([self.vocabulary.encode_tokens(map(str, text)) for text in texts], self.length)
        if not all(isinstance(text, str) for text in texts):
            fail("data.not-texts", found=type(next(text for text in texts if not isinstance(text, str))).__name__)
        return pad_tokens([self.vocabulary.encode(text) for text in texts], self.length)

    def facts(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary.facts()}


def pad_tokens(sequences: Sequence[Tensor], length: int) -> Tensor:
    """Sequences int64 [T_n] as one tensor [N, T], 0 behind the end; T is `length` at least.

    >>> pad_tokens([torch.tensor([5, 6, 7]), torch.tensor([8])], 4).tolist()
    [[5, 6, 7, 0], [8, 0, 0, 0]]
    """
    padded = pad_sequence(list(sequences), batch_first=True)
    return torch.nn.functional.pad(padded, (0, max(0, length - padded.shape[1])))


@dataclass(frozen=True)
class SourceEncoder(TextEncoder):
    """Sources to numbers of tokens; `columns` are those of the table that the pairs stood in, where they did."""

    columns: tuple[str, str] | None = None


def packed(sources: Sequence[Tensor], targets: Sequence[Tensor], length: int = 1) -> tuple[Tensor, Tensor]:
    """Sources and targets with their ends as pairs [N, 2, T] of the source and what the decoder is given, the target
    moved on by one behind a start; and the targets [N, T], IGNORED behind their ends. T is `length` at least.

    >>> x, y = packed([torch.tensor([7, 8, 9])], [torch.tensor([5, 3])])
    >>> x.tolist(), y.tolist()
    ([[[7, 8, 9], [2, 5, 0]]], [[5, 3, -100]])
    """
    given = [torch.cat([torch.tensor([START]), target[:-1]]) for target in targets]
    rows = pad_tokens([*sources, *given, *targets], length)
    source, begun, target = rows.split(len(targets))
    return torch.stack([source, begun], 1), target.where(target != PADDING, IGNORED)


def pad_tags(tags: Sequence[Sequence[Any]], target: TokenLabels) -> Tensor:
    """Tags as numbers int64 [N, T], IGNORED behind the end and for tags that are none of the target's.

    >>> pad_tags([["b"], ["a", "c"]], TokenLabels(("a", "b"))).tolist()
    [[1, -100], [0, -100]]
    """
    numbers = {tag: number for number, tag in enumerate(target.values)}
    rows = [torch.tensor([numbers.get(str(tag), IGNORED) for tag in one], dtype=torch.int64) for one in tags]
    return pad_sequence(rows, batch_first=True, padding_value=IGNORED)
