"""What a trained net predicted: confusion, calibration, residuals, and the samples it got worst."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from danlu.store.records import CalibrationBins, PredictionsMade, ResidualPairs, WorstSample


@dataclass(frozen=True)
class Confusion:
    """`counts[actual][predicted]`, in the order of `classes`."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> float:
        """The share on the diagonal."""
        total = sum(map(sum, self.counts))
        return sum(row[at] for at, row in enumerate(self.counts)) / total if total else 0.0


@dataclass(frozen=True)
class Calibration:
    """How often a net is right when it says how sure it is: for each bin of confidence its mean, the share of right
    answers and the samples in it; `error` is the expected calibration error (Guo et al. 2017,
    https://arxiv.org/abs/1706.04599)."""

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    samples: tuple[int, ...]
    error: float


@dataclass(frozen=True)
class Residuals:
    """Predicted numbers and how far the actual ones lie from them (actual minus predicted), in the target's unit."""

    predicted: tuple[float, ...]
    residual: tuple[float, ...]


@dataclass(frozen=True)
class Predictions:
    """All that a journal's record of kind "predictions" says of one part of the data; what is not there is None."""

    part: str
    samples: int
    confusion: Confusion | None = None
    calibration: Calibration | None = None
    residuals: Residuals | None = None
    worst: tuple[WorstSample, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether no output was a number, as of a net that diverged: of such outputs the first class is the largest."""
        if not self.worst or any(math.isfinite(one.loss) for one in self.worst):
            return False
        if self.residuals:
            return not any(map(math.isfinite, self.residuals.predicted))
        if self.calibration:
            return not any(self.calibration.confidence)
        return not any(any(row[1:]) for row in self.confusion.counts) if self.confusion else True


def predictions(record: PredictionsMade) -> Predictions:
    """The predictions that a record of a journal tells."""
    return Predictions(
        part=record.part,
        samples=record.samples,
        confusion=_confusion(record.confusion, record.classes) if record.confusion else None,
        calibration=_calibration(record.calibration) if record.calibration else None,
        residuals=_residuals(record.residuals) if record.residuals else None,
        worst=record.worst,
    )


def _confusion(counts: Sequence[Sequence[int]], classes: Sequence[str] | None) -> Confusion:
    return Confusion(tuple(classes or map(str, range(len(counts)))), tuple(tuple(row) for row in counts))


def _calibration(bins: CalibrationBins) -> Calibration:
    found = [one for one in zip(bins.confidence, bins.right, bins.samples, strict=True) if one[2]]
    total = sum(samples for _, _, samples in found)
    return Calibration(
        tuple(confidence / samples for confidence, _, samples in found),
        tuple(right / samples for _, right, samples in found),
        tuple(samples for _, _, samples in found),
        sum(abs(right - confidence) for confidence, right, _ in found) / total if total else 0.0,
    )


def _residuals(pairs: ResidualPairs) -> Residuals:
    differences = tuple(actual - told for actual, told in zip(pairs.actual, pairs.predicted, strict=True))
    return Residuals(tuple(pairs.predicted), differences)
