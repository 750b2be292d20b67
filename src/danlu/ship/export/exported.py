"""An exported network of any kind, opened: it answers files."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import DataWarning
from danlu.base.strict_json import number
from danlu.data.readers.csv_text import FileOptions
from danlu.ship.answer_table import label_records, records_of, share_records, with_beside
from danlu.ship.export.feeds import Feeds, feeds_of
from danlu.ship.export.files import FileRows, read_file_rows
from danlu.ship.export.interface import Interface
from danlu.ship.export.numbers import Tallied
from danlu.ship.export.onnx_file import FileAnswers


@dataclass(frozen=True)
class AnsweredRows:
    """Some rows of a file and what is said of them."""

    rows: FileRows
    answers: FileAnswers


@dataclass(frozen=True, eq=False)
class ExportedNet:
    """An exported network: what it says of itself (`metadata`), and `answers` to samples; `digest` is computed from
    its weights as they are.
    """

    path: Path
    metadata: Mapping[str, Any]
    answers: Callable[[Feeds], FileAnswers]
    digest: Callable[[], str]

    @property
    def is_unchanged(self) -> bool:
        """Whether its weights are those that it was written with."""
        return self.digest() == self.metadata.get("weights_sha256")

    @cached_property
    def interface(self) -> Interface:
        return Interface(self.metadata["preprocessing"], raw=self.metadata["raw"])

    def predict(self, raw: Any) -> Any:
        """Labels [N] or numbers, masks [N, H, W], lists of labels or tags, for raw samples: what `run.predict` says of
        them, with its warnings (DataWarning).
        """
        feeds = feeds_of(raw, self.interface)
        for remark in feeds.remarks:
            warnings.warn(str(remark), DataWarning, stacklevel=2)
        return self._said(feeds, self.answers(feeds))

    def answer_file(self, path: Path) -> Iterator[AnsweredRows]:
        """Answers for a file, or a folder of pictures, a portion at a time."""
        read = self.metadata.get("reading", {})
        options = FileOptions(header=read.get("header"), encoding=read.get("encoding"), sheet=read.get("sheet"))
        for rows in read_file_rows(path, self.interface, options, read.get("target")):
            yield AnsweredRows(rows, self.answers(rows.feeds))

    def _said(self, feeds: Feeds, answers: FileAnswers) -> Any:
        """The answers as a run gives them: where a sample has several labels, or a tag a token, a list each."""
        if self.interface.task == "multi-label":
            labels: list[Any] = self.interface.plain["target"]["classes"]
            return [[label for label, on in zip(labels, own, strict=True) if on] for own in answers.values]
        if self.interface.task == "tagging":
            lengths = (feeds.arrays[self.interface.inputs[0].name] != self.interface.padding).sum(1).tolist()
            return [own[:length].tolist() for own, length in zip(answers.values, lengths, strict=True)]
        if self.interface.task == "translation":
            between, lengths = self.interface.between, answers.outputs.tolist()
            texts = [between.join(own[:length]) for own, length in zip(answers.values, lengths, strict=True)]
            return numpy.array(texts, dtype=object)
        return answers.values

    def records(self, portion: AnsweredRows, top: int = 1) -> list[dict[str, Any]]:
        """A dict a row, as `danlu.ship.Prediction.records` makes them."""
        answers, rows = portion.answers, portion.rows
        if self.interface.task in ("multi-label", "segmentation", "tagging"):
            return self._records_of_several(portion)
        classes = [str(label) for label in self.interface.labels.tolist()] if self.interface.has_labels else []

        def ranked(row: int) -> list[tuple[str, float]]:
            assert answers.probabilities is not None
            chances = answers.probabilities[row]
            likeliest = numpy.argsort(-chances, kind="stable")[:top].tolist()
            return [(classes[best], float(chances[best])) for best in likeliest]

        told = self.metadata.get("error_band")
        band = (number(told["low"]), number(told["high"])) if told else None
        classifies = ranked if answers.probabilities is not None else None
        names = self.interface.plain["target"].get("names", ())
        values = self._said(rows.feeds, answers)
        records = records_of("", rows.places, values, classifies, band, rows.feeds.notes, names)
        for name, told in rows.beside.items():
            records = [with_beside(record, name, value) for record, value in zip(records, told, strict=True)]
        return records

    def _records_of_several(self, portion: AnsweredRows) -> list[dict[str, Any]]:
        """Where a row has several labels, or a class at each place."""
        rows, said = portion.rows, self._said(portion.rows.feeds, portion.answers)
        if self.interface.task == "segmentation":
            named = list(zip(self.interface.labels.tolist(), self.interface.class_names, strict=True))
            shares = [{name: round(float((mask == value).mean()), 6) for value, name in named} for mask in said]
            return share_records("", rows.places, shares, rows.feeds.notes)
        between = " " if self.interface.task == "tagging" else self.interface.plain["target"]["separator"]
        return label_records("", rows.places, said, between, rows.feeds.notes)

    def tally(self) -> Tallied:
        """What counts how many answers are right, where files say so."""
        return Tallied(self.interface)
