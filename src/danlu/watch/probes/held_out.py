"""What is done to held-out data before a net is scored on them: dropped, drawn anew, normalised by themselves."""

import math
import weakref
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import RandomSampler, SequentialSampler

from danlu.base.records import CodeLine
from danlu.watch.conduct import Unfair
from danlu.watch.frames import calling_line
from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.interleaved import interleaved
from danlu.watch.probes.training_scale import TrainingScale, column_sums, has_columns
from danlu.watch.tracing import unreadable

_PASSES = 6  # evaluations whose data are looked at
_ROWS, _COLUMNS = 64, 4_096
_FEWEST = 32  # samples whose mean says something
_ROUNDING = 1e-4  # of a mean of 0, in standard deviations
_OWN = 0.01  # of a sample's own mean
_NEARER = 0.8  # a sample beside itself of another pass, over the same beside another sample
_NEARER_KNOWN = 0.9  # the same where a data set is gone through in order: it may draw other samples each time
_CHANGED = 0.2  # share of the samples
_TIMES = 2


class HeldOutProbe:
    """Looks at the batches of the first evaluations, and at the loaders that they come from."""

    writes = ("unfair", "draws_at_random")

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._scale = TrainingScale()
        self._begun: Any = None  # the newest loader that was begun and has given no batch to a net yet, weakly
        self._begun_at: CodeLine | None = None
        self.goes_on = False  # the newest batch follows another one of the same pass through a loader
        self.begins = False  # it is the first one of a pass through a loader
        self._passing = False  # a pass through a loader is under way
        self.elsewhere = False  # what is evaluated comes from a data set that gave no training batch
        self.own = False  # it comes from one that gave training batches
        self._trained: set[int] = set()  # data sets that gave training batches, by id
        self._training: Any = None  # the newest loader that gave one, weakly
        self._compared: set[int] = set()  # loaders whose rows were looked for beside those of the training, by id
        self._evaluations = 0
        self._batches = self._samples = 0  # of this evaluation
        self._sums: tuple[torch.Tensor, torch.Tensor] | None = None
        self._rows_differ = self._spoilt = False
        self._first: tuple[torch.Tensor, torch.Tensor | None] | None = None  # its first batch, and its targets
        self._pictures: torch.Tensor | None = None  # of the first evaluation after a step, and their classes
        self._classes: torch.Tensor | None = None
        self._before: tuple[torch.Tensor, torch.Tensor | None] | None = None  # of the evaluation before
        # The id of the data set that this evaluation goes through in its own order; 0 where that is unknown.
        self._ordered = 0
        self._ordered_before = 0
        self._anew = 0  # evaluations in a row whose samples were the ones before, changed

    def loader_begun(self, loader: Any) -> None:
        """A DataLoader is gone through from the beginning."""
        self._begun = weakref.ref(loader)
        if "evaluated" not in self._measured.lines:
            self._begun_at = calling_line()

    def trains(self) -> None:
        """A batch is trained on."""
        loader, self._begun = self._begun and self._begun(), None
        self._passing = False
        if loader is not None:
            self._training = weakref.ref(loader)
            self._trained.add(id(loader.dataset))
            sampler = getattr(loader, "sampler", None)
            self._measured.draws_at_random = self._measured.draws_at_random or isinstance(sampler, RandomSampler)

    def trains_on(self, inputs: torch.Tensor) -> None:
        """A measured step is made on this batch."""
        self._scale.see(inputs)

    def sees(self, inputs: torch.Tensor | None, step: int) -> None:
        """A batch is evaluated."""
        loader, self._begun = self._begun and self._begun(), None
        self.begins = loader is not None
        self.goes_on, self._passing = self._passing and loader is None, self._passing or loader is not None
        if not self.goes_on:
            self.own = loader is not None and id(loader.dataset) in self._trained
        if loader is not None:
            self.elsewhere = bool(self._trained) and not self.own
            self._look_beside(loader, step)
        if loader is not None and id(loader.dataset) not in self._trained:
            self._see_loader(loader, step)
            if self._begun_at is not None and "evaluated" not in self._measured.lines:
                self._measured.lines["evaluated"] = self._begun_at
                self._measured.evaluated_kind = type(loader).__name__
            if not self._batches and isinstance(loader.sampler, SequentialSampler):
                self._ordered = id(loader.dataset)
        plain = inputs is not None and inputs.dtype.is_floating_point and inputs.dim() >= 2 and len(inputs) > 1
        if self._evaluations >= _PASSES or inputs is None or not plain or unreadable(inputs):
            return
        inputs = inputs.detach()
        self._batches += 1
        if self._batches == 1 and step:
            flat = inputs[:_ROWS].flatten(1)
            self._first = flat[:, :: 1 + flat.shape[1] // _COLUMNS].clone(), None
            if inputs.dim() == 4 and self._classes is None:
                self._pictures = inputs[:_ROWS].clone()
        if has_columns(inputs):
            self._add(inputs)
        else:
            self._spoilt = True

    def lost(self, call: LossCall) -> None:
        """The loss of that batch was computed."""
        self.labelled(call.targets)

    def labelled(self, targets: torch.Tensor) -> None:
        """These are the targets of that batch."""
        if self._first is None or self._first[1] is not None or self._batches != 1:
            return
        if not unreadable(targets) and targets.dim():
            self._first = self._first[0], targets[:_ROWS].detach().clone()
            whole = targets.dim() == 1 and not targets.dtype.is_floating_point
            if whole and self._classes is None and self._pictures is not None:
                self._classes = self._first[1]

    @property
    def pictures(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Held-out pictures with one class each; None where none were seen."""
        if self._pictures is None or self._classes is None or len(self._pictures) != len(self._classes):
            return None
        return self._pictures, self._classes

    def end(self, step: int, overlap: float) -> None:
        """The evaluation is over; of its samples so many were trained on."""
        if self._batches:
            self._evaluations += 1
            if overlap < 0.5:
                self._judge_means(step)
                self._judge_scale(step)
            if self._first is not None:
                self._compare(step)
        self._batches = self._samples = 0
        self.elsewhere = self.own = self._passing = False
        self._sums, self._first = None, None
        self._ordered_before, self._ordered = self._ordered, 0
        self._rows_differ = self._spoilt = False

    def _look_beside(self, loader: Any, step: int) -> None:
        """Whether its rows lie beside those that were trained on."""
        trained = self._training and self._training()
        if trained is None or trained is loader or id(loader) in self._compared or len(self._compared) >= _PASSES:
            return
        self._compared.add(id(loader))
        share = interleaved(trained, loader)
        if share > 0:
            self._measured.unfair.setdefault("beside", Unfair(step, share=share))

    def _see_loader(self, loader: Any, step: int) -> None:
        size = getattr(loader, "batch_size", None)
        if not getattr(loader, "drop_last", False) or not size or not hasattr(loader.dataset, "__len__"):
            return
        count = len(loader.dataset)
        if count % size and "drops" not in self._measured.unfair:
            self._measured.unfair["drops"] = Unfair(step, share=count % size / count, score=count % size, other=count)

    def _add(self, inputs: torch.Tensor) -> None:
        sums = column_sums(inputs)
        fits = self._sums is None or self._sums[0].shape == sums[0].shape
        if not fits:
            self._spoilt = True
            return
        self._sums = sums if self._sums is None else (self._sums[0] + sums[0], self._sums[1] + sums[1])
        self._samples += inputs.numel() // inputs.shape[1]
        own = inputs[:_ROWS].double().flatten(1)
        self._rows_differ = self._rows_differ or bool((own.mean(1).abs() > _OWN * own.std(1)).any())

    def _judge_means(self, step: int) -> None:
        """Columns whose means are 0 to the last digit were normalised by the means of these very samples."""
        if self._sums is None or self._spoilt or self._samples < _FEWEST or not self._rows_differ:
            return
        mean = self._sums[0] / self._samples
        spread = (self._sums[1] / self._samples - mean.square()).clamp(min=0).sqrt()
        moving = spread > 0.5
        near_one = (spread - 1).abs() < 0.5 / math.sqrt(self._samples) + _ROUNDING
        if not bool(moving.any()) or float((moving & near_one).float().mean()) < 0.9:
            return
        if float((mean.abs()[moving] < _ROUNDING).float().mean()) > 0.9:
            expected = 1 / math.sqrt(self._samples)
            largest = float(mean.abs().max())
            self._measured.unfair.setdefault("scaled", Unfair(step, score=largest, other=expected))

    def _judge_scale(self, step: int) -> None:
        """Whether they were scaled otherwise than the training data."""
        if self._sums is None or self._spoilt or self._samples < _FEWEST:
            return
        ratio = self._scale.ratio(self._sums, self._samples)
        if not math.isnan(ratio):
            self._measured.unfair.setdefault("apart", Unfair(step, score=ratio))

    def _compare(self, step: int) -> None:
        """Whether these are the samples of the evaluation before, changed."""
        before, now = self._before, self._first
        self._before = now
        if before is None or now is None or before[0].shape != now[0].shape:
            self._anew = 0
            return
        (one, targets), (other, others) = before, now
        made_of_them = others is not None and others.dtype.is_floating_point and others.numel() >= now[0].numel()
        same = targets is None or others is None or (targets.shape == others.shape and torch.equal(targets, others))
        changed = (one != other).any(1)
        apart = float((one - other).abs().mean())
        beside = float((one - other.roll(1, 0)).abs().mean())
        known = self._ordered == self._ordered_before != 0  # the same places in the data set
        anew = same and not made_of_them and float(changed.float().mean()) >= _CHANGED
        # The same classes in the order of one data set are those of the same samples, however much these have changed.
        alike = apart < (_NEARER_KNOWN if known else _NEARER) * beside
        anew = anew and (alike or (known and _tells_order(targets)))
        self._anew = self._anew + 1 if anew else 0
        if self._anew >= _TIMES and "anew" not in self._measured.unfair:
            self._measured.unfair["anew"] = Unfair(step, share=float(changed.float().mean()))
        elif "anew" in self._measured.unfair and not self._anew:
            self._measured.unfair["anew"] = replace(self._measured.unfair["anew"], share=math.nan)


def _tells_order(targets: torch.Tensor | None) -> bool:
    """Whether so many classes of more than one kind come in this order by no chance."""
    if targets is None or targets.dtype.is_floating_point or targets.dim() != 1 or len(targets) < _FEWEST:
        return False
    runs = int((targets[1:] != targets[:-1]).sum())
    return runs >= _FEWEST // 4
