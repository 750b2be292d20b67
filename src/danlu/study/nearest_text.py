"""What stands beside translations: the text of the training part whose source is nearest, or its commonest text."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from danlu.data.memory import MemoryDataset
from danlu.data.targets import measured_by
from danlu.train.metrics import Metrics

NAMES = ("majority", "nearest")
_LONGEST_RUN = 3  # tokens
_AT_ONCE = 512


def written_scores(name: str, data: MemoryDataset) -> dict[str, float]:
    """The metrics on the validation part of a baseline that writes without learning: "majority" always writes the
    commonest text of the training part, "nearest" that of the training source which has most runs of one to three
    tokens in common (the cosine of their counts). Its accuracy counts tokens that stand at their place.
    """
    sources, targets = _part(data, "train")
    asked, right = _part(data, "validation")
    if name == "majority":
        texts, counts = targets.unique(dim=0, return_counts=True)
        written = texts[counts.argmax()].expand_as(right)
    else:
        written = targets[torch.tensor(list(_nearest(sources, asked)))]
    metrics = Metrics(**measured_by(data.target))
    written = written.clamp(min=0)
    metrics.update(written, right)
    metrics.translated(written, right)
    return metrics.compute(float("nan"))


def _part(data: MemoryDataset, part: str) -> tuple[Tensor, Tensor]:
    batches = list(data.batches(part, 4096, device=torch.device("cpu")))
    return torch.cat([x[:, 0] for x, _ in batches]), torch.cat([y for _, y in batches])


def _nearest(known: Tensor, asked: Tensor) -> Iterator[int]:
    """Of each source that is asked for the number of the nearest known one."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    make: Any = CountVectorizer
    counter = make(analyzer=_runs)
    there: Any = normalize(counter.fit_transform(known.tolist()))
    found: Any = normalize(counter.transform(asked.tolist()))
    for first in range(0, found.shape[0], _AT_ONCE):
        yield from (found[first : first + _AT_ONCE] @ there.T).toarray().argmax(1).tolist()


def _runs(tokens: list[int]) -> list[tuple[int, ...]]:
    """All runs of one to three tokens; 0 is padding.

    >>> _runs([5, 6, 0])
    [(5,), (6,), (5, 6)]
    """
    kept = [token for token in tokens if token]
    return [
        tuple(kept[first : first + length])
        for length in range(1, _LONGEST_RUN + 1)
        for first in range(len(kept) - length + 1)
    ]
