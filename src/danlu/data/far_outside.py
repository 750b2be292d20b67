"""Features far outside of what the training part held, told in one sentence; without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy

from danlu.base.errors import Fault
from danlu.base.naming import listed
from danlu.base.strict_json import number

# A sample whose values span a tenth of what the flattest training sample spans is on another scale, not just flat.
FLATTER = 10
# Where some training samples are flat themselves (a black picture), so many together must be flatter than the usual
# ones: by chance that happens to a share of 0.05 ** 8 of all batches.
FLAT_TOGETHER, FLAT_SHARE = 8, 0.05
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

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Ranges":
        """What `asdict` made plain. KeyError, TypeError or ValueError where it is not of that form."""
        ends = (tuple(number(value) for value in plain[key]) for key in ("low", "high", "mean", "std"))
        return cls(*ends, whole=plain["whole"], flattest=number(plain["flattest"]), flat=number(plain["flat"]))


def remarks(x: "numpy.ndarray[Any, Any]", ranges: Ranges, names: tuple[str, ...] = ()) -> tuple[Fault, ...]:
    """What is to be told of features [N, F]: values far outside the training part's range, or all on a much smaller
    scale. `names` are those of the features, else they are counted from 1.

    >>> ranges = Ranges((0.0,), (1.0,), (), (), False, 0.0, 0.0)
    >>> [fault.values["row"] for fault in remarks(numpy.array([[0.5], [99.0]]), ranges)]
    [2]
    """
    x = x.astype(numpy.float64)
    told: list[Fault] = []
    far = _far_outside(x, ranges)
    if far.any():
        told.append(_told_far(x, far, ranges, names))
    if x.shape[1] >= FLAT_TOGETHER and len(x):
        extents = x.max(1) - x.min(1)
        if (extents > 0).any() and flatter(extents[extents > 0], ranges):
            least, most = ranges.bounds
            values = {"low": x.min(), "high": x.max(), "least": least, "most": most}
            told.append(Fault("data.smaller-scale", {key: f"{value:.4g}" for key, value in values.items()}))
    return tuple(told)


def flatter(extents: "numpy.ndarray[Any, Any]", ranges: Ranges) -> bool:
    """Whether samples whose values lie so far apart, [N], are flatter than those of the training part."""
    widest = float(extents.max())
    together = len(extents) >= FLAT_TOGETHER and widest <= ranges.flat / FLATTER
    return widest <= ranges.flattest / FLATTER or together


def _far_outside(x: "numpy.ndarray[Any, Any]", ranges: Ranges) -> "numpy.ndarray[Any, Any]":
    """Which values of features [N, F] lie more than ten training ranges outside; constant features have no range."""
    low, high = numpy.array(ranges.low), numpy.array(ranges.high)
    span = high - low
    return ((x > high + FAR * span) | (x < low - FAR * span)) & (span > 0)


def _told_far(
    x: "numpy.ndarray[Any, Any]", far: "numpy.ndarray[Any, Any]", ranges: Ranges, names: tuple[str, ...]
) -> Fault:
    features = numpy.flatnonzero(far.any(0)).tolist()
    first = features[0]
    row = int(far[:, first].argmax())
    values: dict[str, Any] = {
        "count": int(far.any(1).sum()),
        "features": listed((names[place] if names else str(place + 1) for place in features), MOST_TOLD),
        "found": f"{x[row, first]:.4g}",
        "row": row + 1,
        "low": f"{ranges.low[first]:.4g}",
        "high": f"{ranges.high[first]:.4g}",
    }
    return Fault("data.far-outside", values)
