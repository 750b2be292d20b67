"""Which numbers of plain arrays are standardised, by which mean and deviation, and what is told of it."""

import torch
from torch import Tensor

from danlu.base.errors import Fault
from danlu.base.naming import listed
from danlu.data.standard import Standard, measure

# Pixels from 0 to 1 whose deviation is below this were divided by 255 once too often, or are almost all alike.
LEAST_SPREAD = 0.1
# A sequence of more channels than this is a picture without an axis for its channel.
MOST_CHANNELS = 16
MOST_TOLD = 10


def fit_standard(
    x: Tensor, train: int, wanted: bool | None, columns: Tensor | None = None
) -> tuple[Standard, tuple[Fault, ...]]:
    """What is done to samples [N, *shape], whose first `train` are the training part, and the notes.

    Features [N, F] are standardised one by one unless `wanted` is False. Sequences [N, T, C] and pictures
    ([N, C, H, W], [N, H, W]) are channel by channel: always where it is asked for (True), else (None) where they leave
    0 … 1 or hardly vary. Of features only `columns` are (bool [F]; None: all).
    """
    shape = tuple(x.shape[1:])
    if wanted is False or (wanted is None and len(shape) > 1 and _is_scaled(x[:train])):
        return Standard(shape), ()
    part, axes = x[:train], _pooled(shape)
    mean, scale = measure(part, axes)
    if columns is not None:
        mean, scale = torch.where(columns, mean, 0.0), torch.where(columns, scale, 1.0)
    constant = torch.isinf(scale)
    if len(shape) > 1:
        values = {"low": f"{part.min().item():.4g}", "high": f"{part.max().item():.4g}"}
        return Standard(shape, mean, scale), (Fault("data.pictures-standardised", values),)
    done = ~constant if columns is None else columns & ~constant
    notes = [Fault("data.standardised", {"count": int(done.sum())})] if done.any() or columns is None else []
    if constant.any():
        places = [str(place + 1) for place in constant.nonzero().flatten().tolist()]
        told = listed(places, MOST_TOLD)
        notes.append(Fault("data.constant-features", {"count": len(places), "columns": told}))
    return Standard(shape, mean, scale), tuple(notes)


def _is_scaled(x: Tensor) -> bool:
    """Whether pixels are from 0 to 1 and vary as pictures do."""
    return bool(x.min() >= 0 and x.max() <= 1 and x.double().std(correction=0) >= LEAST_SPREAD)


def _pooled(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of [N, *shape] that one mean is taken over."""
    if len(shape) < 2:
        return (0,)
    if len(shape) == 2:
        steps, channels = shape
        return (0, 1) if channels < steps and channels <= MOST_CHANNELS else (0, 1, 2)
    return (0, *range(2, len(shape) + 1))
