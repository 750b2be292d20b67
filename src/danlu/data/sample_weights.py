"""How much each sample of the training part counts in the loss: numbers that stand beside the samples."""

from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.data.layout import as_tensor


def checked_weights(given: Any, count: int, place: str) -> Tensor:
    """The weights of `count` samples, float64; `place` is what they are called. UserError for what is no weight."""
    if isinstance(given, numpy.ndarray) and given.dtype.kind not in "biuf":
        fail("data.weight-no-numbers", place=place, found=given.dtype)
    weights = as_tensor(given).to(torch.float64)
    if weights.dim() != 1 or len(weights) != count:
        fail("data.weight-count", place=place, found=list(weights.shape), count=count)
    wrong = ~(weights.isfinite() & (weights >= 0))
    if wrong.any():
        row = int(wrong.int().argmax())
        fail("data.weight-wrong", place=place, count=int(wrong.sum()), found=float(weights[row]), row=row + 1)
    return weights


def of_training(weights: Tensor, rows: Tensor | None, place: str) -> Tensor:
    """Those of the training part, scaled to a mean of 1, so that a rate means what it meant. UserError where all of
    them are 0.
    """
    own = weights if rows is None else weights[rows]
    if not bool(own.sum() > 0):
        fail("data.weight-nothing", place=place)
    return own / own.mean()
