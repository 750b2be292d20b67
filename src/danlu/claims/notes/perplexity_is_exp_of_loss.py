"""Perplexity is the exponential of the mean cross-entropy per token: of a bigram model of a text, and, where all tokens
are equally likely, the number of tokens."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot
from danlu.stats import perplexity

_TEXT = (
    "the time traveller for so it will be convenient to speak of him was expounding a recondite matter to us his grey "
    "eyes shone and twinkled and his usually pale face was flushed and animated"
)


def _probabilities(smoothing: float) -> list[float]:
    """What a bigram model of the text's first half, smoothed by `smoothing`, gives each letter of the second half."""
    letters = sorted(set(_TEXT))
    half = len(_TEXT) // 2
    counts = {one: dict.fromkeys(letters, smoothing) for one in letters}
    for before, after in pairwise(_TEXT[:half]):
        counts[before][after] += 1
    rest = _TEXT[half:]
    return [counts[a][b] / sum(counts[a].values()) for a, b in pairwise(rest)]


def _checks() -> dict[str, float]:
    found = _probabilities(1.0)
    mean_loss = -sum(map(math.log, found)) / len(found)
    product = math.prod(found) ** (-1 / len(found))
    logits = torch.zeros(50, 28, dtype=torch.float64)
    of_torch = float(torch.exp(nn.functional.cross_entropy(logits, torch.arange(50) % 28)))
    return {
        "exp-of-mean-loss": abs(math.exp(mean_loss) - product) / product,
        "perplexity-of-danlu": abs(float(perplexity(mean_loss)) - math.exp(mean_loss)),
        "uniform": abs(of_torch - 28),
    }


def _figure() -> Sequence[Plot]:
    strengths = [10 ** (place / 10) for place in range(-30, 31)]
    losses = [-sum(map(math.log, found)) / len(found) for found in map(_probabilities, strengths)]
    return [
        Plot("loss", "perplexity", [CurveData("bigram", sorted(losses), [math.exp(loss) for loss in sorted(losses)])])
    ]


PERPLEXITY_IS_EXP_OF_LOSS = IdentityClaim(
    "perplexity-is-exp-of-loss",
    {"exp-of-mean-loss": 1e-12, "perplexity-of-danlu": 1e-9, "uniform": 1e-9},
    _checks,
    _figure,
)
