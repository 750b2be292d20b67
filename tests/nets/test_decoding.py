"""Texts written token by token: greedy, by a beam, and against all that could be written."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from danlu.base.token_numbers import END, START
from danlu.nets.decoding import Memory, written

TOKENS = 7
LONGEST = 4


def chain(seed: int, samples: int = 3) -> tuple[Memory, Callable[[Memory, Tensor], tuple[Tensor, Memory]]]:
    """A decoder whose next token depends on the last one, and on a table of each sample's own."""
    drawn = torch.Generator().manual_seed(seed)
    tables = torch.randn(samples, TOKENS, TOKENS, generator=drawn) * 2
    return (tables,), lambda memory, last: (memory[0][torch.arange(len(last)), last], memory)


def likelihood(table: Tensor, text: tuple[int, ...]) -> float:
    """The mean log-probability a token."""
    pairs = itertools.pairwise((START, *text))
    rows = table.double().log_softmax(-1)
    return sum(float(rows[last, token]) for last, token in pairs) / len(text)


def all_texts() -> list[tuple[int, ...]]:
    tokens = range(END + 1, TOKENS)
    ended = [(*text, END) for length in range(LONGEST) for text in itertools.product(tokens, repeat=length)]
    return ended + list(itertools.product(tokens, repeat=LONGEST))


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_the_best_of_all_texts(seed: int) -> None:
    memory, step = chain(seed)
    found = written(memory, step, beam=400, most=LONGEST).tolist()
    for table, tokens in zip(memory[0], found, strict=True):
        best = max(all_texts(), key=lambda text: likelihood(table, text))
        assert tuple(token for token in tokens if token) == best


@pytest.mark.parametrize("seed", range(4))
def test_one_beam_takes_the_likeliest_token_each_time(seed: int) -> None:
    memory, step = chain(seed)
    found = written(memory, step, beam=1, most=9)
    for table, tokens in zip(memory[0], found.tolist(), strict=True):
        last, wanted = START, []
        while last != END and len(wanted) < 9:
            row = table[last].clone()
            row[:END] = -torch.inf
            last = int(row.argmax())
            wanted.append(last)
        assert tokens[: len(wanted)] == wanted
        assert not any(tokens[len(wanted) :])


def test_samples_do_not_depend_on_each_other() -> None:
    memory, step = chain(5, samples=6)
    whole = written(memory, step, beam=3, most=8)
    for row, tokens in enumerate(whole.tolist()):
        (alone,) = written((memory[0][row : row + 1],), step, beam=3, most=8).tolist()
        assert [token for token in tokens if token] == [token for token in alone if token]


def test_outputs_that_are_no_numbers_break_nothing() -> None:
    memory, _ = chain(0)
    found = written(memory, lambda memory, last: (torch.full((len(last), TOKENS), torch.nan), memory), beam=2, most=3)
    assert found.shape[0] == 3
