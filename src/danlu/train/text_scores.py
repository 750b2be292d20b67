"""How right written texts are: exact match, and BLEU over a whole part."""

import math
from collections import Counter
from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import pad

from danlu.base.records import Score
from danlu.base.token_numbers import END, PADDING

_ORDERS = (1, 2, 3, 4)


class TextScores:
    """Scores of texts, as tokens, that were written without being told the right ones.

    "exact_match" is the share of texts that are right from the first token to the end. "bleu" is that of the whole
    part (Papineni et al. 2002, https://aclanthology.org/P02-1040): the geometric mean of the shares of runs of one to
    four tokens that the right text has too, counted no more often than there, times exp(1 - right / written) where less
    was written than is right. It lies between 0 and 1, and is 0 where no run of four tokens is right.

    >>> import torch
    >>> scores = TextScores()
    >>> right = torch.tensor([[4, 5, 6, 7, 3], [4, 5, 6, 3, -100]])
    >>> scores.add(torch.tensor([[4, 5, 6, 7, 3], [4, 5, 3, 0, 0]]), right)
    >>> {name: round(value, 4) for name, value in scores.result().items()}
    {'bleu': 0.8465, 'exact_match': 0.5}
    """

    def __init__(self) -> None:
        self._texts = self._exact = self._written = self._right = 0
        self._met, self._there = dict.fromkeys(_ORDERS, 0), dict.fromkeys(_ORDERS, 0)

    def add(self, written: Tensor, targets: Tensor) -> None:
        """Count texts: tokens int64 [N, T] with 0 behind their ends, and the right ones [N, T′], below 0 there."""
        targets = targets.clamp(min=PADDING)
        longest = max(written.shape[1], targets.shape[1])
        written, targets = (pad(one, (0, longest - one.shape[1])) for one in (written, targets))
        self._texts += len(written)
        self._exact += int((written == targets).all(1).sum())
        for said, right in zip(_texts(written), _texts(targets), strict=True):
            self._written += len(said)
            self._right += len(right)
            for order in _ORDERS:
                found = _runs(said, order)
                self._met[order] += (found & _runs(right, order)).total()
                self._there[order] += found.total()

    def result(self) -> Score:
        if not self._texts:
            return {}
        return {"bleu": self._bleu(), "exact_match": self._exact / self._texts}

    def _bleu(self) -> float:
        if not all(self._met.values()):
            return 0.0
        mean = sum(math.log(self._met[order] / self._there[order]) for order in _ORDERS) / len(_ORDERS)
        return math.exp(mean + min(0.0, 1 - self._right / self._written))


def _texts(tokens: Tensor) -> list[Sequence[int]]:
    """Each text up to its end."""
    rows: list[list[int]] = tokens.tolist()
    ends = ([place for place, token in enumerate(row) if token in (PADDING, END)] for row in rows)
    return [row[: (found or [len(row)])[0]] for row, found in zip(rows, ends, strict=True)]


def _runs(tokens: Sequence[int], order: int) -> Counter[tuple[int, ...]]:
    return Counter(zip(*(tokens[first:] for first in range(order)), strict=False))
