"""The recall task: the first token of a sequence is to be named after a gap of others that mean nothing. It is the
least of the tasks that need memory (a copy task of one symbol: Hochreiter and Schmidhuber 1997, Arjovsky et al. 2016).
"""

from typing import Any

import torch

from danlu.base.seeds import stream
from danlu.data import Dataset, load

SYMBOLS, DISTRACTORS = 8, 8
VOCABULARY = 1 + SYMBOLS + DISTRACTORS  # 0 is padding, of which there is none
_VALIDATION, _TEST = 200, 500


def recall(gap: int, samples: int, noise: float = 0.0) -> Dataset:
    """Sequences of a symbol and `gap` distractors, tokens [N, 1 + gap], and which symbol it was; `samples` of them to
    train on. `noise` is the share of training labels that are drawn at random.

    >>> data = recall(gap=5, samples=100)
    >>> data.sizes, data.sample_shape, data.outputs
    ({'train': 100, 'validation': 200, 'test': 500}, (6,), 8)
    """
    parts: dict[str, Any] = {}
    for part, count in (("train", samples), ("validation", _VALIDATION), ("test", _TEST)):
        numbers = stream(0, "recall", part, gap)
        symbols = torch.randint(SYMBOLS, (count,), generator=numbers)
        symbols[:SYMBOLS] = torch.arange(SYMBOLS)  # each stands in each part
        distractors = torch.randint(1 + SYMBOLS, 1 + SYMBOLS + DISTRACTORS, (count, gap), generator=numbers)
        labels = symbols.clone()
        if part == "train":
            wrong = torch.rand(count, generator=numbers) < noise
            labels[wrong] = torch.randint(SYMBOLS, (int(wrong.sum()),), generator=numbers)
        parts[part] = (torch.cat([1 + symbols[:, None], distractors], 1).numpy(), labels.numpy())
    return load(parts, standardise=False)
