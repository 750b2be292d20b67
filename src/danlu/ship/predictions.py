"""What a net says of the rows of files, as plain records and tables, and how right it is where the files know."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch.nn.functional import pad

from danlu.base.errors import fail
from danlu.base.ignored import IGNORED
from danlu.data.label_sets import LabelSets
from danlu.data.place_labels import PixelLabels, TokenLabels
from danlu.data.preprocessing import Preprocessing
from danlu.data.targets import measured_by
from danlu.data.written_text import WrittenText
from danlu.ship.answer_table import label_records, records_of, share_records, with_beside
from danlu.ship.answerer import Answers
from danlu.ship.rows import Rows
from danlu.train.metrics import Metrics

_FEWEST_ERRORS = 20


@dataclass(frozen=True)
class ErrorBand:
    """Between which distances from the true value `share` of the answers lay on `samples` that were not trained on, in
    the target's own unit: the true value was from answer + low to answer + high.
    """

    low: float
    high: float
    samples: int
    share: float = 0.9

    @classmethod
    def of(cls, predicted: Sequence[float], actual: Sequence[float]) -> "ErrorBand | None":
        """The 5 % and 95 % quantiles of actual - predicted; None for fewer than 20.

        >>> ErrorBand.of([0.0] * 21, list(range(-10, 11)))
        ErrorBand(low=-9.0, high=9.0, samples=21, share=0.9)
        """
        errors = torch.tensor(actual, dtype=torch.float64) - torch.tensor(predicted, dtype=torch.float64)
        errors = errors[errors.isfinite()]
        if len(errors) < _FEWEST_ERRORS:
            return None
        low, high = errors.quantile(torch.tensor([0.05, 0.95], dtype=torch.float64)).tolist()
        return cls(low, high, len(errors))


@dataclass(frozen=True)
class Prediction:
    """Some rows of a file, and what the net says of them."""

    rows: Rows
    answers: Answers

    def records(self, fitted: Preprocessing, top: int = 1, band: ErrorBand | None = None) -> list[dict[str, Any]]:
        """A dict a row: "file", "row", "answer"; of classes "probability", and "answer_2", "probability_2" … up to
        `top`; of a time series the time and the series; of one number "low" and "high" where an error `band` is known;
        of several numbers a column each, by the name of its target; of a mask the share of the pixels of each class, by
        its name; of tags all those of a text; and a "note" where a row is odd.
        """
        rows, classes = self.rows, fitted.classes
        if isinstance(fitted.target, LabelSets):
            labels: list[list[Any]] = self.answers.values.tolist()
            return label_records(rows.file, rows.places, labels, fitted.target.separator, rows.notes or {})

        if isinstance(fitted.target, PixelLabels):
            return share_records(rows.file, rows.places, self.shares(fitted.target), rows.notes or {})
        if isinstance(fitted.target, TokenLabels):
            tags: list[list[Any]] = list(self.answers.values)
            return label_records(rows.file, rows.places, tags, " ", rows.notes or {})

        def ranked(row: int) -> list[tuple[str, float]]:
            return [(classes[number], probability) for number, probability in self.answers.ranked(row, top)]

        ends = None if band is None else (band.low, band.high)
        classifies = ranked if self.answers.probabilities is not None else None
        notes, names = rows.notes or {}, fitted.targets
        records = records_of(rows.file, rows.places, self.answers.values, classifies, ends, notes, names)
        for name, told in (rows.beside or {}).items():
            records = [with_beside(record, name, value) for record, value in zip(records, told, strict=True)]
        return records

    def shares(self, target: PixelLabels) -> list[dict[str, float]]:
        """Of each picture the share of the pixels that each class has."""
        masks = [numpy.asarray(mask) for mask in self.answers.values]
        pairs = list(zip(target.values, target.names, strict=True))
        return [{name: round(float((mask == value).mean()), 6) for value, name in pairs} for mask in masks]


def joined(portions: Sequence[Any]) -> Any:
    """Answers that came in portions (arrays, tensors or lists) as one. UserError where there is none.

    >>> joined([["a"], ["b", "c"]])
    ['a', 'b', 'c']
    """
    if not portions:
        fail("ship.no-samples")
    first = portions[0]
    if isinstance(first, torch.Tensor):
        if first.dim() > 2 and len({portion.shape[1:] for portion in portions}) > 1:  # texts padded to their longest
            most = max(portion.shape[1] for portion in portions)
            portions = [pad(portion, (0, 0, 0, most - portion.shape[1])) for portion in portions]
        return torch.cat(list(portions))
    return [one for portion in portions for one in portion] if isinstance(first, list) else numpy.concatenate(portions)


class Tally:
    """Metrics over predictions whose rows say what would have been right."""

    def __init__(self, fitted: Preprocessing) -> None:
        self._target = fitted.target
        self._metrics = Metrics(**measured_by(fitted.target, each=True))
        self.samples = 0
        self.left_out = 0  # rows without a right answer, or with a class that the net never met

    def add(self, prediction: Prediction) -> None:
        """Count the rows that say what would have been right."""
        targets = prediction.rows.targets
        if targets is None:
            self.left_out += len(prediction.rows.places)
            return
        if isinstance(self._target, PixelLabels | TokenLabels | WrittenText):
            known = (targets >= 0).flatten(1).any(1)  # some place of the sample
        else:
            known = targets.isfinite().all(1) if targets.is_floating_point() else targets >= 0
        self.samples += int(known.sum())
        self.left_out += int((~known).sum())
        if known.any():
            outputs = prediction.answers.outputs
            if isinstance(self._target, TokenLabels):  # both are padded, each to the longest of its own
                targets = pad(targets, (0, max(0, outputs.shape[1] - targets.shape[1])), value=IGNORED)
                targets = targets[:, : outputs.shape[1]]
            self._metrics.update(outputs[known], targets[known])
            if prediction.answers.written is not None:
                self._metrics.translated(prediction.answers.written[known], targets[known])

    def score(self) -> dict[str, float]:
        """Metrics by name. UserError where no row could be counted."""
        if not self.samples:
            fail("ship.no-right-answers")
        return self._metrics.compute(math.nan)
