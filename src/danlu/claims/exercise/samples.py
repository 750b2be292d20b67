"""What a mended script is judged on: the kind of data that it loads itself, divided in a way that it cannot know."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from danlu.base.seeds import stream

Samples = tuple[Tensor, Tensor]
_TRAIN = 0.8


def divided(name: str, seed: int) -> tuple[Samples, Samples]:
    """The samples called `name` to train on, and others to judge by; another `seed` divides (and draws) differently.

    >>> (x, y), (x_new, y_new) = divided("wine", 3)
    >>> x.shape, len(y_new)
    (torch.Size([142, 13]), 36)
    """
    x, y = _SAMPLES[name](stream(seed, "exercise", name))
    order = torch.randperm(len(x), generator=stream(seed, "exercise", "split"))
    train, new = order[: int(_TRAIN * len(x))], order[int(_TRAIN * len(x)) :]
    return (x[train], y[train]), (x[new], y[new])


def _arrays(found: Any) -> Samples:
    """Inputs and targets of a data set of scikit-learn's."""
    return torch.tensor(found[0], dtype=torch.float32), torch.tensor(found[1])


def _digits(draws: torch.Generator) -> Samples:
    from sklearn import datasets

    x, y = _arrays(datasets.load_digits(return_X_y=True))
    return x / 16, y


def _noisy_digits(draws: torch.Generator) -> Samples:
    x, y = _digits(draws)
    wrong = torch.rand(len(y), generator=draws) < 0.3
    return x, torch.where(wrong, torch.randint(0, 10, y.shape, generator=draws), y)


def _wine(draws: torch.Generator) -> Samples:
    from sklearn import datasets

    return _arrays(datasets.load_wine(return_X_y=True))


def _diabetes(draws: torch.Generator) -> Samples:
    from sklearn import datasets

    x, y = _arrays(datasets.load_diabetes(return_X_y=True))
    y = y.float()
    return (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()


def _rings(draws: torch.Generator) -> Samples:
    y = torch.arange(1200) % 2
    angle = 2 * math.pi * torch.rand(1200, generator=draws)
    radius = 1 + y + 0.2 * torch.randn(1200, generator=draws)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), y


_SAMPLES: dict[str, Callable[[torch.Generator], Samples]] = {
    "digits": _digits,
    "noisy-digits": _noisy_digits,
    "wine": _wine,
    "diabetes": _diabetes,
    "rings": _rings,
}
