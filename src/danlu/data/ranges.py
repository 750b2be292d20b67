"""What the samples of a training part were like, and whether later ones are on the same scale."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import Fault, fail

# A sample whose values span a tenth of what the flattest training sample spans is on another scale, not just flat.
FLATTER = 10
# Where some training samples are flat themselves (a black picture), so many together must be flatter than the usual
# ones: by chance that happens to a share of 0.05 ** 8 of all batches.
FLAT_TOGETHER, FLAT_SHARE = 8, 0.05
# No pixel of the training part is below 0, but more than this share of the new ones is.
NEGATIVE_SHARE = 0.05
# Values so many training ranges outside are told.
FAR = 10
MOST_TOLD = 5


@dataclass(frozen=True)
class Ranges:
    """Of raw samples [N, *shape] of a training part: `low`, `high`, `mean` and `std` of each feature of flat samples,
    of others only `low` and `high` of all values; whether all are `whole` numbers; and how far the values of one sample
    lie apart: `flattest` is the least of all samples, `flat` what 5 % of them stay below.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    whole: bool
    flattest: float
    flat: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value of all."""
        return min(self.low), max(self.high)


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
    if beyond or negative or fractions or _flatter((high - low)[varied], ranges):
        values = {"low": low.min().item(), "high": high.max().item(), "least": least, "most": most}
        fail("data.other-scale", **{key: f"{value:.4g}" for key, value in values.items()})


def remarks(x: Tensor, ranges: Ranges, names: tuple[str, ...] = ()) -> tuple[Fault, ...]:
    """What is to be told of features [N, F]: values far outside the training part's range, or all on a much smaller
    scale. `names` are those of the features, else they are counted from 1.
    """
    x = x.double()
    told: list[Fault] = []
    far = far_outside(x, torch.tensor(ranges.low), torch.tensor(ranges.high))
    if far.any():
        told.append(_far(x, far, ranges, names))
    extents = x.amax(1) - x.amin(1)
    if x.shape[1] >= FLAT_TOGETHER and (extents > 0).any() and _flatter(extents[extents > 0], ranges):
        least, most = ranges.bounds
        values = {"low": x.min().item(), "high": x.max().item(), "least": least, "most": most}
        told.append(Fault("data.smaller-scale", {key: f"{value:.4g}" for key, value in values.items()}))
    return tuple(told)


def far_outside(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Which values of features [N, F] lie more than ten training ranges outside; constant features have no range."""
    low, high = low.double(), high.double()
    span = high - low
    return ((x > high + FAR * span) | (x < low - FAR * span)) & (span > 0)


def _far(x: Tensor, far: Tensor, ranges: Ranges, names: tuple[str, ...]) -> Fault:
    features = far.any(0).nonzero().flatten().tolist()
    first = features[0]
    row = int(far[:, first].nonzero()[0])
    values: dict[str, Any] = {
        "count": int(far.any(1).sum()),
        "features": ", ".join(names[place] if names else str(place + 1) for place in features[:MOST_TOLD]),
        "found": f"{x[row, first].item():.4g}",
        "row": row + 1,
        "low": f"{ranges.low[first]:.4g}",
        "high": f"{ranges.high[first]:.4g}",
    }
    return Fault("data.far-outside", values)


def _flatter(extents: Tensor, ranges: Ranges) -> bool:
    widest = extents.max().item()
    together = len(extents) >= FLAT_TOGETHER and widest <= ranges.flat / FLATTER
    return widest <= ranges.flattest / FLATTER or together
