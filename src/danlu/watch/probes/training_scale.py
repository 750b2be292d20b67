"""How large the columns of the training data are, and whether others were scaled as they were."""

import math

import torch

from danlu.watch.tracing import unreadable

_MOST_BATCHES, _MOST_COLUMNS = 16, 4_096
_FEWEST = 64  # samples
_LARGER, _ALL_LARGER = 12.0, 100.0  # mean square in units of the training data, where 1 is expected
_SMALLER = 0.16  # variance in the same units
_COLUMN_LARGER, _COLUMN_SMALLER = 4.0, 0.3  # the same of a single column
_SHARE_LARGER, _SHARE_SMALLER = 0.5, 0.7  # of the columns
_COMMON = 0.15  # spread of the columns' shifts over their mean, where all moved alike: windows of a series


def has_columns(inputs: torch.Tensor) -> bool:
    """Whether a batch is a table [N, D], or pictures [N, C, H, W], of several numbers a sample."""
    plain = inputs.dtype.is_floating_point and inputs.dim() in (2, 4) and len(inputs) > 1
    return plain and inputs[0].numel() > 1 and inputs.shape[1] <= _MOST_COLUMNS


def column_sums(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum and the sum of squares of each column, or channel."""
    over = (0, 2, 3) if inputs.dim() == 4 else (0,)
    numbers = inputs.double()
    return numbers.sum(over), numbers.square().sum(over)


class TrainingScale:
    """Sums over the columns of the first measured batches."""

    def __init__(self) -> None:
        self._sums: tuple[torch.Tensor, torch.Tensor] | None = None
        self._batches = self._samples = self._numbers = 0

    def see(self, inputs: torch.Tensor) -> None:
        """Take up a batch of the training."""
        if self._batches >= _MOST_BATCHES or not has_columns(inputs) or unreadable(inputs):
            return
        sums = column_sums(inputs.detach())
        if self._sums is not None and self._sums[0].shape != sums[0].shape:
            return
        self._sums = sums if self._sums is None else (self._sums[0] + sums[0], self._sums[1] + sums[1])
        self._batches += 1
        self._samples += len(inputs)
        self._numbers += inputs.numel() // inputs.shape[1]

    def ratio(self, sums: tuple[torch.Tensor, torch.Tensor], numbers: int) -> float:
        """The size of other samples in units of the training data, where it is another one than theirs by far, else
        NaN; by the sums over their columns and how many numbers went into each. Near 1 it is the same scale.

        >>> scale = TrainingScale()
        >>> scale.see(torch.randn(100, 3))
        >>> round(scale.ratio(column_sums(20 + 5 * torch.randn(100, 3)), 100)) in range(16, 27)
        True
        """
        if self._sums is None or self._samples < _FEWEST or self._sums[0].shape != sums[0].shape:
            return math.nan
        mean, variance = _moments(self._sums, self._numbers)
        moving = variance > 1e-12 * (1e-12 + mean.square())
        if not bool(moving.any()):
            return math.nan
        other, spread = (one[moving] for one in _moments(sums, numbers))
        mean, variance = mean[moving], variance[moving]
        shift = other - mean
        square = (shift.square() + spread) / variance
        larger = float((shift.square() + spread).sum() / variance.sum())
        smaller = float(spread.sum() / variance.sum())
        if larger > _LARGER and float((square > _COLUMN_LARGER).double().mean()) >= _SHARE_LARGER:
            return math.sqrt(larger) if larger > _ALL_LARGER or not _is_common(shift / variance.sqrt()) else math.nan
        shrunk = (spread > 0) & (spread < _COLUMN_SMALLER * variance)  # where nothing moves, a rare value did not occur
        if _is_common(shift / variance.sqrt()) and _is_common(spread / variance):
            return math.nan  # a part of a series that wanders less
        few = float(shrunk.double().mean()) >= _SHARE_SMALLER
        return math.sqrt(smaller) if smaller < _SMALLER and few else math.nan


def _moments(sums: tuple[torch.Tensor, torch.Tensor], numbers: int) -> tuple[torch.Tensor, torch.Tensor]:
    mean = sums[0] / numbers
    return mean, (sums[1] / numbers - mean.square()).clamp(min=0)


def _is_common(shifts: torch.Tensor) -> bool:
    """Whether all columns have moved by as many deviations, or shrunk alike, as the places of a window do."""
    return len(shifts) > 1 and float(shifts.std(correction=0)) < _COMMON * abs(float(shifts.mean()))
