"""The listener that keeps what the net is like at moments of its training: its answers, its mistakes, its filters."""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danlu.base.events import EpochDone, Event, Stop
from danlu.base.seeds import global_seed, stream
from danlu.data import Dataset
from danlu.run.listeners.first_filters import first_filters
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.run.listeners.prediction_collector import picture
from danlu.run.listeners.text_samples import spread_epochs
from danlu.run.setup import Setup
from danlu.store.records import BoundaryGrid, MomentTaken, SamplePicture, SamplesFollowed, SamplesPictured
from danlu.train.engine import Batch
from danlu.train.predictions import class_logits, predicted
from danlu.train.progress import Progress
from danlu.view.info.followed import telling

FOLLOWED = 256
_MOMENTS = 24
_MOST_CLASSES = 20  # of a confusion matrix for each moment
_PIXELS = 64  # the longer side of a picture that is kept
_MOST_NUMBERS = 64 * 64 * 3  # of a sample that is kept
_GRID = 25
_MARGIN = 0.15  # beyond the samples, of their range
_DIGITS = 4


class AnswerCollector:
    """Hears what a net answers to the validation part: to the samples `followed` one by one, to all in a matrix. What
    the net saw of them is kept where `inputs` are wanted."""

    each = False

    def __init__(self, data: Dataset, followed: Tensor, *, inputs: bool = True) -> None:
        self._data = data
        self._followed = followed
        self._wants_inputs = inputs
        self._classes = max(2, data.outputs) if data.task == "classification" else 0
        self._inputs: Tensor | None = None
        self._seen = 0
        self._broken = False
        self._parts: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        self.confusion = torch.zeros(self._classes, self._classes, dtype=torch.int64)

    @property
    def wanted(self) -> bool:
        """Always: none is made where there is nothing to hear."""
        return True

    def seen(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, each remembered until its outputs come."""
        for inputs, targets in batches:
            self._inputs = inputs
            yield inputs, targets

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Take in what the net answered to the batch seen last; where that is none of its task, nothing is told."""
        try:
            self._take(outputs, targets)
        except Exception:  # noqa: BLE001  (a net is the user's code, and this is for the reader only)
            self._broken = True

    def _take(self, outputs: Tensor, targets: Tensor) -> None:
        first, self._seen = self._seen, self._seen + len(targets)
        inside = self._followed[(self._followed >= first) & (self._followed < self._seen)] - first
        if self._classes:
            logits, actual = class_logits(outputs.float().cpu()), targets.view(-1).long().cpu()
            answers, count = logits.argmax(1), self._classes
            if count <= _MOST_CLASSES:
                self.confusion += torch.bincount(actual * count + answers, minlength=count**2).view(count, count)
            likely = logits[inside].softmax(1).gather(1, actual[inside][:, None])[:, 0]
            answers, actual = answers[inside], actual[inside]
        else:
            answers = self._in_units(predicted(outputs[inside.to(outputs.device)], "regression", 1))
            actual = self._in_units(targets.reshape(len(targets), 1)[inside.to(targets.device)])
            likely = answers[:0]
        assert self._inputs is not None
        inputs = answers[:0]
        if self._wants_inputs:
            inputs = _small(self._inputs[inside.to(self._inputs.device)].detach().float().cpu())
        self._parts.append((answers.double(), likely.double(), actual.double(), inputs))

    def told(self) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        """Of the followed samples answers [N], probabilities of what is right [N] or [0], what is right [N], and what
        the net saw of them [N, …] or [0]; None where not all were there."""
        found = [torch.cat(parts) for parts in zip(*self._parts, strict=True)]
        whole = not self._broken and bool(found) and len(found[0]) == len(self._followed)
        return (found[0], found[1], found[2], found[3]) if whole else None

    def _in_units(self, numbers: Tensor) -> Tensor:
        return torch.as_tensor(self._data.decode(numbers), dtype=torch.float64).flatten()


class MomentTaker:
    """Writes a `MomentTaken` after the first epoch and the last, and up to 22 between.

    All is heard of the validation pass that there is anyhow, or read from the weights; a grid over two inputs is
    answered by a copy of the net. The training does not notice. `earlier` are the moments before a resume. Where the
    validation part comes in another order each time, as a loader of the user's may, nothing is told. Filters and grid
    are left out where no process holds the whole `net` (None).
    """

    def __init__(
        self,
        setup: Setup,
        net: nn.Module | None,
        progress: Progress,
        journal: JournalWriter,
        earlier: Sequence[MomentTaken],
    ) -> None:
        data, train = setup.data, setup.recipe.train
        self._setup, self._net, self._progress, self._journal = setup, net, progress, journal
        size = data.sizes["validation"]
        drawn = torch.randperm(size, generator=stream(train.seed, "followed"))[:FOLLOWED] if size else torch.zeros(0)
        self._followed = drawn.long().sort().values
        numbers = data.task == "regression" and data.outputs == 1
        self._wanted = bool(size) and (data.task == "classification" or numbers)
        self._epochs = spread_epochs(progress.epochs, _MOMENTS)
        self._may_end = train.patience is not None
        self._collector: AnswerCollector | None = None
        self._moments = list(earlier)
        self._first: SamplesFollowed | None = None
        self._samples: Tensor | None = None

    def collector(self) -> AnswerCollector | None:
        """What is to hear of the validation pass that follows; None where nothing is wanted of it."""
        due = self._wanted and (self._may_end or self._is_due(self._progress.epoch + 1))
        self._collector = self._hearing() if due else None
        return self._collector

    def _hearing(self) -> AnswerCollector:
        return AnswerCollector(self._setup.data, self._followed, inputs=self._first is None)

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, EpochDone) and self._collector:
            collector, self._collector = self._collector, None
            if (told := collector.told()) and (self._is_due(event.epoch) or self._progress.ended_early):
                self._write(event, collector, *told)
        return None

    def end(self) -> None:
        """The training is over: what those samples look like is told that say most."""
        if self._first is None or self._samples is None or not self._wanted or not self._moments:
            return
        rows = telling(self._first, self._moments)
        places = {sample: place for place, sample in enumerate(self._first.samples)}
        shown = tuple(self._pictured(sample, self._samples[places[sample]]) for sample in rows)
        self._journal.write(SamplesPictured(samples=shown))

    def _is_due(self, epoch: int) -> bool:
        return epoch in self._epochs or epoch == self._progress.epochs

    def _write(
        self, event: EpochDone[Any], collector: AnswerCollector, answers: Tensor, likely: Tensor, actual: Tensor,
        inputs: Tensor,
    ) -> None:  # fmt: skip
        if self._first is None:
            self._samples = inputs if inputs[0].numel() <= _MOST_NUMBERS else None
            self._first = self._told_first(actual, inputs)
            self._journal.write(self._first)
        elif list(self._first.actual) != actual.tolist():
            self._wanted = False
            return
        confusion = collector.confusion.tolist() if 0 < len(collector.confusion) <= _MOST_CLASSES else None
        layer, filters = first_filters(self._net, self._setup.data.sample_shape) if self._net is not None else ("", ())
        moment = MomentTaken(
            epoch=event.epoch,
            step=event.step,
            answers=answers.tolist() if len(likely) else _short(answers),
            likely=_short(likely) if len(likely) else None,
            confusion=confusion,
            filters=filters,
            layer=layer if filters else "",
            boundary=self._boundary(self._first.inputs),
        )
        self._moments.append(moment)
        self._journal.write(moment)

    def _told_first(self, actual: Tensor, inputs: Tensor) -> SamplesFollowed:
        data = self._setup.data
        names = [*data.classes] or [str(at) for at in range(max(2, data.outputs))]
        pairs = inputs.tolist() if tuple(data.sample_shape) == (2,) else []
        return SamplesFollowed(
            samples=self._followed.tolist(),
            actual=actual.tolist(),
            classes=names if data.task == "classification" else None,
            inputs=tuple((x, y) for x, y in pairs),
        )

    def _boundary(self, pairs: Sequence[tuple[float, float]]) -> BoundaryGrid | None:
        """What a copy of the net answers over both of its inputs; None where it takes more, or cannot be asked so."""
        if not pairs or self._net is None:
            return None
        xs, ys = (_grid([pair[at] for pair in pairs]) for at in (0, 1))
        places = torch.tensor([(x, y) for y in ys for x in xs], dtype=self._setup.dtype)
        try:
            with global_seed(self._setup.recipe.train.seed, "moments"), torch.no_grad():
                outputs = copy.deepcopy(self._net).to("cpu").eval()(places)
        except Exception:  # noqa: BLE001  (a net is the user's code, and the picture is for the reader only)
            return None
        values = _short(self._over_grid(outputs.float()).double())
        return BoundaryGrid(xs, ys, tuple(tuple(values[at : at + _GRID]) for at in range(0, _GRID**2, _GRID)))

    def _over_grid(self, outputs: Tensor) -> Tensor:
        data = self._setup.data
        if data.task == "regression":
            return torch.as_tensor(data.decode(predicted(outputs, "regression", 1)), dtype=torch.float64).flatten()
        logits = class_logits(outputs)
        return logits.softmax(1)[:, 1] if logits.shape[1] == 2 else logits.argmax(1)

    def _pictured(self, sample: int, seen: Tensor) -> SamplePicture:
        image = seen.dim() == 3 and len(seen) in (1, 3)
        text = self._setup.data.describe("validation", sample, seen)
        return SamplePicture(sample, picture(seen) if image else "", text)


def _small(inputs: Tensor) -> Tensor:
    """Pictures [N, C, H, W] no larger than is shown of them; all else as it is."""
    if inputs.dim() != 4 or max(inputs.shape[2:]) <= _PIXELS or not len(inputs):
        return inputs
    share = _PIXELS / max(inputs.shape[2:])
    return F.interpolate(inputs, size=[max(1, round(side * share)) for side in inputs.shape[2:]], mode="area")


def _grid(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    margin = _MARGIN * (high - low) or 1.0
    return [float(f"{x:.{_DIGITS}g}") for x in torch.linspace(low - margin, high + margin, _GRID).tolist()]


def _short(numbers: Tensor) -> list[float | None]:
    return [float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in numbers.tolist()]
