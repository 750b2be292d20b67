"""How well scores rank the samples that are of a class before those that are not."""

import torch
from torch import Tensor


def average_precision(scores: Tensor, there: Tensor) -> float:
    """The area below precision over recall, of scores [N] for a class that is `there` in some samples, bool [N]: the
    precision at each score, weighed by what the recall gains there, as scikit-learn has it. 0 where it is in none.

    >>> average_precision(torch.tensor([0.9, 0.8, 0.1]), torch.tensor([True, False, True]))
    0.8333333333333333
    """
    if not there.any():
        return 0.0
    ordered, places = scores.sort(descending=True, stable=True)
    last = run_ends(ordered)
    right = there[places].double().cumsum(0)[last]
    gained = right.diff(prepend=right.new_zeros(1))
    return float((gained * right / (last + 1)).sum() / right[-1])


def run_ends(ordered: Tensor) -> Tensor:
    """The places where each run of equal numbers ends: samples of one score stand or fall together.

    >>> run_ends(torch.tensor([0.9, 0.5, 0.5, 0.1]))
    tensor([0, 2, 3])
    """
    return torch.cat([ordered.diff().nonzero().flatten(), ordered.new_tensor([len(ordered) - 1], dtype=torch.int64)])
