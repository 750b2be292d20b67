"""What a loss object tells of itself without being called: what it weighs, and what it leaves out."""

from typing import Any

import torch

from danlu.watch.measured import DeclaredLoss, Measured


def read_loss(measured: Measured, loss: Any) -> None:
    """Note what the loss is, if it is an object; a plain function tells nothing.

    >>> measured = Measured()
    >>> read_loss(measured, torch.nn.CrossEntropyLoss(ignore_index=0))
    >>> measured.declared
    DeclaredLoss(kind='CrossEntropyLoss', weighted=False, ignored=0)
    """
    if not isinstance(loss, torch.nn.Module):
        return
    ignored = getattr(loss, "ignore_index", None)
    weighted = any(isinstance(getattr(loss, name, None), torch.Tensor) for name in ("weight", "pos_weight"))
    whole = isinstance(ignored, int) and not isinstance(ignored, bool)
    measured.declared = DeclaredLoss(type(loss).__name__, weighted, ignored if whole else None)
    measured.labels.weighted = measured.labels.weighted or weighted
