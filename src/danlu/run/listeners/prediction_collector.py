"""What a net answered on a part of the data, gathered while that part is scored: mistakes, sureness, worst samples."""

import base64
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from danlu.base.ignored import IGNORED
from danlu.data import Dataset
from danlu.run.listeners.mask_pictures import shown_classes, side_by_side
from danlu.store.records import CalibrationBins, PredictionsMade, ResidualPairs, WorstSample
from danlu.train.engine import Batch
from danlu.train.metrics import Metrics
from danlu.train.predictions import class_logits, predicted

_BINS = 15
_WORST = 16
_MOST_CLASSES = 200
_MOST_RESIDUALS = 1000
_MOST_KEPT = 200_000
_PIXELS = 64
_OF_CLASSES = ("classification", "segmentation")


class Collector(Protocol):
    """Hears what a net says to a part of the data: `seen` stands between its batches and the net, `add` gets what came
    out. `each`: of several targets each is scored by itself, too."""

    each: bool

    @property
    def wanted(self) -> bool: ...

    def seen(self, batches: Iterable[Batch]) -> Iterator[Batch]: ...

    def add(self, outputs: Tensor, targets: Tensor) -> None: ...


class PredictionCollector:
    """Listens to the scoring of one part: `seen` stands between its batches and the net, and a CollectingMetrics tells
    it what came out.

    Classification, segmentation (its pixels) and the regression of one number are gathered; other tasks give no record.
    """

    each = True

    def __init__(self, data: Dataset, part: str) -> None:
        self._data = data
        self._part = part
        self._inputs: Tensor | None = None
        self._samples = 0
        self._classes = max(2, data.outputs) if data.task in _OF_CLASSES else 0
        self._confusion = torch.zeros(self._classes, self._classes, dtype=torch.int64)
        self._bins = torch.zeros(3, _BINS, dtype=torch.float64)  # confidence, right ones, samples
        self._numbers: list[tuple[Tensor, Tensor]] = []
        self._worst: list[tuple[float, int, WorstSample]] = []

    @property
    def wanted(self) -> bool:
        """Whether there is anything to gather for this task."""
        few_classes = self._data.task in _OF_CLASSES and self._classes <= _MOST_CLASSES
        return few_classes or (self._data.task == "regression" and self._data.outputs == 1)

    def seen(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, each remembered until its outputs come."""
        for inputs, targets in batches:
            self._inputs = inputs
            yield inputs, targets

    def record(self) -> PredictionsMade | None:
        """The record for the journal; None where nothing was gathered."""
        if not self._samples:
            return None
        worst = tuple(sample for _, _, sample in sorted(self._worst, key=lambda one: -one[0]))
        if self._data.task in _OF_CLASSES:
            names = list(self._data.classes) or [str(at) for at in range(self._classes)]
            confidence, right, samples = self._bins.tolist()
            counts = ([round(count) for count in row] for row in (right, samples))
            return PredictionsMade(
                part=self._part,
                samples=self._samples,
                classes=names if len(names) == self._classes else None,
                confusion=self._confusion.tolist(),
                calibration=None if self._data.task == "segmentation" else CalibrationBins(confidence, *counts),
                worst=worst,
            )
        outputs, targets = (torch.cat(parts) for parts in zip(*self._numbers, strict=True))
        step = max(1, math.ceil(len(outputs) / _MOST_RESIDUALS))
        residuals = ResidualPairs(outputs[::step].tolist(), targets[::step].tolist())
        return PredictionsMade(part=self._part, samples=self._samples, residuals=residuals, worst=worst)

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Take in what the net answered to the batch seen last."""
        before = self._samples
        self._samples += len(targets)
        if self._data.task == "segmentation":
            self._segment(outputs.float().cpu(), targets.cpu(), before)
            return
        if self._data.task == "classification":
            losses, answers, sureness = self._classify(outputs.float().cpu(), targets.cpu())
        elif before < _MOST_KEPT:
            losses, answers, sureness = self._measure(outputs, targets)
        else:
            return
        highest = losses.nan_to_num(nan=math.inf).topk(min(_WORST, len(losses)))
        for loss, at in zip(highest.values.tolist(), highest.indices.tolist(), strict=True):
            if len(self._worst) < _WORST or loss > min(self._worst)[0]:
                sample = WorstSample(**answers(at), loss=loss, confidence=sureness(at), **self._shown(at, before + at))
                self._keep(sample, before + at)

    def _classify(self, outputs: Tensor, targets: Tensor) -> Any:
        logits = class_logits(outputs)
        targets = targets.view(-1).long()
        likely = logits.softmax(1)
        confidence, answer = likely.max(1)
        right = answer == targets
        count = self._classes
        self._confusion += torch.bincount(targets * count + answer, minlength=count * count).view(count, count)
        confidence = confidence.nan_to_num()  # of a net that diverged
        bins = (confidence * _BINS).long().clamp(max=_BINS - 1)
        for row, values in enumerate((confidence, right, torch.ones_like(confidence))):
            self._bins[row].index_add_(0, bins, values.double())
        names = self._data.classes or [str(at) for at in range(count)]

        def answers(at: int) -> dict[str, Any]:
            return {"actual": str(names[int(targets[at])]), "predicted": str(names[int(answer[at])])}

        def sureness(at: int) -> float:
            return float(confidence[at])

        return F.cross_entropy(logits, targets, reduction="none"), answers, sureness

    def _segment(self, outputs: Tensor, targets: Tensor, before: int) -> None:
        """Pictures of which the mean loss of a pixel is largest, and the pixels' classes against what was said."""
        answers, known = outputs.argmax(1), targets >= 0
        pairs = targets[known] * self._classes + answers[known]
        self._confusion += torch.bincount(pairs, minlength=self._classes**2).view(self._classes, -1)
        losses = F.cross_entropy(outputs, targets, reduction="none", ignore_index=IGNORED).flatten(1).sum(1)
        losses = losses / known.flatten(1).sum(1).clamp(min=1)
        sureness, names = outputs.softmax(1).amax(1).flatten(1).mean(1).nan_to_num(), self._data.classes
        highest = losses.nan_to_num(nan=math.inf).topk(min(_WORST, len(losses)))
        for loss, at in zip(highest.values.tolist(), highest.indices.tolist(), strict=True):
            if len(self._worst) == _WORST and loss <= min(self._worst)[0]:
                continue
            told = {"actual": shown_classes(targets[at], names), "predicted": shown_classes(answers[at], names)}
            shown = self._shown(at, before + at)
            if "png" in shown:
                assert self._inputs is not None
                shown["png"] = side_by_side(self._inputs[at].detach().float().cpu(), targets[at], answers[at])
            self._keep(WorstSample(**told, loss=loss, confidence=float(sureness[at]), **shown), before + at)

    def _keep(self, sample: WorstSample, number: int) -> None:
        self._worst = sorted([*self._worst, (sample.loss, number, sample)], key=lambda one: -one[0])[:_WORST]

    def _measure(self, outputs: Tensor, targets: Tensor) -> Any:
        numbers = self._in_units(predicted(outputs, "regression", 1))
        actual = self._in_units(targets.reshape(len(targets), 1))
        self._numbers.append((numbers, actual))

        def answers(at: int) -> dict[str, Any]:
            return {"actual": f"{float(actual[at]):.4g}", "predicted": f"{float(numbers[at]):.4g}"}

        def sureness(at: int) -> None:
            return None

        return (numbers - actual).abs(), answers, sureness

    def _in_units(self, numbers: Tensor) -> Tensor:
        return torch.as_tensor(self._data.decode(numbers), dtype=torch.float64).flatten()

    def _shown(self, at: int, number: int) -> dict[str, str]:
        """The sample as a small picture where it is one, and what to call it."""
        assert self._inputs is not None
        sample = self._inputs[at].detach().float().cpu()
        text = self._data.describe(self._part, number, sample)
        if sample.dim() != 3 or len(sample) not in (1, 3):
            return {"text": text}
        return {"png": picture(sample), "text": text}


class CollectingMetrics(Metrics):
    """Metrics, made of what is `measured`, that let `collector` hear what they are given."""

    def __init__(self, collector: Collector, measured: Mapping[str, Any], rare: int | None = None) -> None:
        super().__init__(**measured, rare=rare)
        self._collector = collector

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        super().update(outputs, targets)
        self._collector.add(outputs.detach(), targets)


def picture(sample: Tensor) -> str:
    """A picture [C, H, W] with one or three channels as PNG in base64, its darkest number black, its brightest white.

    >>> picture(torch.eye(8).unsqueeze(0))[:8]
    'iVBORw0K'
    """
    from PIL import Image

    low, high = sample.min(), sample.max()
    pixels = ((sample - low) / (high - low).clamp(min=1e-12) * 255).nan_to_num().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((_PIXELS, _PIXELS))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
