"""The adding problem: of numbers in a row two are marked, and their sum is asked for (Hochreiter and Schmidhuber 1997,
https://doi.org/10.1162/neco.1997.9.8.1735)."""

from typing import Any

import torch

from danlu.base.seeds import stream
from danlu.data import Dataset, load

_VALIDATION, _TEST = 300, 500


def adding(steps: int, samples: int) -> Dataset:
    """Rows of `steps` numbers in [0, 1) and marks, [N, steps, 2], and the sum of the two numbers that are marked, one
    in each half; `samples` of them to train on. Whoever answers 1 each time has an R² of 0.

    >>> data = adding(steps=10, samples=100)
    >>> data.sizes, data.sample_shape, data.outputs
    ({'train': 100, 'validation': 300, 'test': 500}, (10, 2), 1)
    """
    parts: dict[str, Any] = {}
    for part, count in (("train", samples), ("validation", _VALIDATION), ("test", _TEST)):
        draws = stream(0, "adding", part, steps)
        numbers = torch.rand(count, steps, generator=draws)
        marks = torch.zeros(count, steps)
        for first, last in ((0, steps // 2), (steps // 2, steps)):
            marks[torch.arange(count), torch.randint(first, last, (count,), generator=draws)] = 1.0
        parts[part] = (torch.stack([numbers, marks], 2).numpy(), (numbers * marks).sum(1).numpy())
    return load(parts, standardise=False)
