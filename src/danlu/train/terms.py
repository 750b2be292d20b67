"""Over how many terms a mean loss goes."""

from torch import Tensor

from danlu.base.ignored import IGNORED


def terms(targets: Tensor) -> int:
    """Over how many terms a mean loss goes: the samples of a batch, or the tokens of a text, or the pixels, that have a
    target.

    >>> import torch
    >>> terms(torch.zeros(8, 3)), terms(torch.zeros(8, 35, dtype=torch.int64)), terms(torch.tensor([[1, IGNORED]]))
    (8, 280, 1)
    """
    if targets.is_floating_point():
        return targets.shape[0]
    return targets.numel() if targets.dim() == 1 else int((targets != IGNORED).sum())
