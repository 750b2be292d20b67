"""What a trained net predicted: confusion, calibration, residuals, and the samples it got worst."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.strict_json import number


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
class Worst:
    """A sample that the net got wrong by far: its image as PNG in base64, or its values as text."""

    actual: str
    predicted: str
    loss: float
    confidence: float | None = None
    png: str = ""
    text: str = ""


@dataclass(frozen=True)
class Predictions:
    """All that a journal's record of kind "predictions" says of one part of the data; what is not there is None."""

    part: str
    samples: int
    confusion: Confusion | None = None
    calibration: Calibration | None = None
    residuals: Residuals | None = None
    worst: tuple[Worst, ...] = ()


def predictions(record: Mapping[str, Any]) -> Predictions:
    """The predictions that a record tells.

    {"kind": "predictions", "part": "test", "samples": 359, "classes": […], "confusion": [[…], …],
    "calibration": {"confidence": […], "right": […], "samples": […]}, "residuals": {"predicted": […], "actual": […]},
    "worst": [{"actual": "8", "predicted": "1", "loss": 4.1, "confidence": 0.97, "png": "…", "text": ""}, …]}; in
    "calibration" each bin has the sum of the confidences, the count of right answers and that of samples.
    """
    return Predictions(
        part=str(record["part"]),
        samples=int(record["samples"]),
        confusion=_confusion(record) if record.get("confusion") else None,
        calibration=_calibration(record["calibration"]) if record.get("calibration") else None,
        residuals=_residuals(record["residuals"]) if record.get("residuals") else None,
        worst=tuple(_worst(entry) for entry in record.get("worst") or ()),
    )


def _confusion(record: Mapping[str, Any]) -> Confusion:
    counts = tuple(tuple(int(count) for count in row) for row in record["confusion"])
    classes = tuple(str(name) for name in record.get("classes") or range(len(counts)))
    if len(classes) != len(counts) or any(len(row) != len(counts) for row in counts):
        raise ValueError("a confusion matrix has a row and a column for each class")
    return Confusion(classes, counts)


def _calibration(bins: Mapping[str, Sequence[Any]]) -> Calibration:
    found = [
        (number(confidence), int(right), int(samples))
        for confidence, right, samples in zip(bins["confidence"], bins["right"], bins["samples"], strict=True)
        if samples
    ]
    total = sum(samples for _, _, samples in found)
    return Calibration(
        tuple(confidence / samples for confidence, _, samples in found),
        tuple(right / samples for _, right, samples in found),
        tuple(samples for _, _, samples in found),
        sum(abs(right - confidence) for confidence, right, _ in found) / total if total else 0.0,
    )


def _residuals(numbers: Mapping[str, Sequence[Any]]) -> Residuals:
    predicted = tuple(number(value) for value in numbers["predicted"])
    actual = tuple(number(value) for value in numbers["actual"])
    return Residuals(predicted, tuple(a - p for a, p in zip(actual, predicted, strict=True)))


def _worst(entry: Mapping[str, Any]) -> Worst:
    confidence = entry.get("confidence")
    return Worst(
        actual=str(entry["actual"]),
        predicted=str(entry["predicted"]),
        loss=number(entry["loss"]),
        confidence=None if confidence is None else number(confidence),
        png=str(entry.get("png") or ""),
        text=str(entry.get("text") or ""),
    )
