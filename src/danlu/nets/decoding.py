"""Writing a text token by token: the likeliest next one each time, or a beam of several beginnings."""

from collections.abc import Callable

import torch
from torch import Tensor

from danlu.base.token_numbers import END, PADDING, START, UNKNOWN

Memory = tuple[Tensor, ...]
"""What a decoder knows of N sources and of what it wrote so far: tensors [N, …]."""
Step = Callable[[Memory, Tensor], tuple[Tensor, Memory]]
"""From memory and the last tokens int64 [N] to the logits of the next ones [N, V] and the memory after that."""


def written(memory: Memory, step: Step, *, beam: int, most: int) -> Tensor:
    """The tokens int64 [N, T ≤ `most`] that are written for N sources, END among them, 0 behind it.

    Of each source the `beam` likeliest beginnings are gone on with; with one, the likeliest token is taken each time
    (greedy). In the end the one whose mean log-probability a token is highest counts (Cho et al. 2014,
    https://arxiv.org/abs/1409.1259): sums alone favour short texts. Padding, and what stands for unknown tokens, is
    never written.

    >>> always = lambda memory, last: (torch.eye(6)[last + 1 - 2 * (last == 5).long()] * 9.0, memory)
    >>> written((torch.zeros(1, 1),), always, beam=1, most=5)
    tensor([[3]])
    """
    count, device = len(memory[0]), memory[0].device
    memory = tuple(part.repeat_interleave(beam, 0) for part in memory)
    firsts = torch.arange(count, device=device)[:, None] * beam
    last = torch.full((count * beam,), START, device=device)
    texts = torch.empty(count * beam, 0, dtype=torch.int64, device=device)
    scores = torch.full((count, beam), -torch.inf, dtype=torch.float64, device=device)
    scores[:, 0] = 0.0  # all beams begin alike: the first tokens come from one
    lengths = torch.zeros(count, beam, dtype=torch.int64, device=device)
    ended = torch.zeros(count, beam, dtype=torch.bool, device=device)
    for _ in range(most):
        logits, memory = step(memory, last)
        likely = _likelihoods(logits, ended.flatten()).view(count, beam, -1)
        scores, places = (scores[..., None] + likely).flatten(1).topk(beam)
        origins, tokens = places // likely.shape[2], places % likely.shape[2]
        rows = (firsts + origins).flatten()
        memory = tuple(part[rows] for part in memory)
        ended, lengths = ended.gather(1, origins), lengths.gather(1, origins)
        lengths = lengths + (~ended).long()
        last = tokens.flatten()
        texts = torch.cat([texts[rows], last.where(~ended.flatten(), PADDING)[:, None]], 1)
        ended = ended | (tokens == END)
        if ended.all():
            break
    best = (scores / lengths).argmax(1)
    return texts[firsts[:, 0] + best]


def _likelihoods(logits: Tensor, ended: Tensor) -> Tensor:
    """Log-probabilities float64 [N, V] of what may come next; behind an end nothing does, which changes no score."""
    likely = logits.double().log_softmax(-1)
    likely[:, [PADDING, UNKNOWN, START]] = -torch.inf
    likely[ended] = -torch.inf
    likely[ended, END] = 0.0
    return likely
