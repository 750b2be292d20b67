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
from danlu.ship.answer_table import records_of
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

    @cached_property
    def interface(self) -> Interface:
        return Interface(self.metadata["preprocessing"], raw=self.metadata["raw"])

    def predict(self, raw: Any) -> Any:
        """Labels [N] or numbers for raw samples, as `run.predict` takes them, with its warnings (DataWarning)."""
        feeds = feeds_of(raw, self.interface)
        for remark in feeds.remarks:
            warnings.warn(str(remark), DataWarning, stacklevel=2)
        return self.answers(feeds).values

    def answer_file(self, path: Path) -> Iterator[AnsweredRows]:
        """Answers for a file, or a folder of pictures, a portion at a time."""
        read = self.metadata.get("reading", {})
        options = FileOptions(header=read.get("header"), encoding=read.get("encoding"), sheet=read.get("sheet"))
        for rows in read_file_rows(path, self.interface, options, read.get("target")):
            yield AnsweredRows(rows, self.answers(rows.feeds))

    def records(self, portion: AnsweredRows, top: int = 1) -> list[dict[str, Any]]:
        """A dict a row, as `danlu.ship.Prediction.records` makes them."""
        answers, rows = portion.answers, portion.rows
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
        return records_of("", rows.places, answers.values, classifies, band, rows.feeds.notes, names)

    def tally(self) -> Tallied:
        """What counts how many answers are right, where files say so."""
        return Tallied(self.interface)
