"""What the samples of a training part were like, and whether later ones are on the same scale."""

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.data.far_outside import FLAT_SHARE, Ranges, flatter

# No pixel of the training part is below 0, but more than this share of the new ones is.
NEGATIVE_SHARE = 0.05


def measure_ranges(x: Tensor) -> Ranges:
    """The ranges of raw samples [N, *shape].

    >>> measure_ranges(torch.tensor([[0.0, 4.0], [2.0, 3.0]])).high
    (2.0, 4.0)
    """
    flat = x.flatten(1)
    highest, lowest = flat.amax(1).double(), flat.amin(1).double()
    if x.dim() == 2:
        values = x.double()
        each = (values.amin(0), values.amax(0), values.mean(0), values.std(0, correction=0))
    else:
        each = (lowest.amin().view(1), highest.amax().view(1), torch.empty(0), torch.empty(0))
    whole = not x.is_floating_point() or all(bool((part == part.round()).all()) for part in x.split(2**10))
    extents = (highest - lowest).sort().values.tolist()
    return Ranges(
        *(tuple(numbers.tolist()) for numbers in each),
        whole=whole,
        flattest=extents[0],
        flat=extents[int(FLAT_SHARE * (len(extents) - 1))],
    )


def refuse_other_scale(x: Tensor, ranges: Ranges) -> None:
    """UserError where pictures [N, …] are certainly on another scale than those a net was trained on: most of them
    reach as far out again as the training range is wide, are much flatter than any, have fractions of 1 where there
    were whole numbers up to 8 or more, or many pixels below 0 where there was none.

    Pictures that are all of one value are on no scale at all, and taken.
    """
    least, most = ranges.bounds
    flat = x.flatten(1).double()
    low, high = flat.amin(1), flat.amax(1)
    span = most - least
    varied = high > low
    if not span or not varied.any():
        return
    beyond = high.median() > most + span or low.median() < least - span
    negative = least >= 0 and (flat < 0).double().mean() > NEGATIVE_SHARE
    fractions = ranges.whole and most >= 8 and flat.abs().max() <= 1 and bool((flat != flat.round()).any())
    if beyond or negative or fractions or flatter((high - low)[varied].numpy(), ranges):
        values = {"low": low.min().item(), "high": high.max().item(), "least": least, "most": most}
        fail("data.other-scale", **{key: f"{value:.4g}" for key, value in values.items()})
