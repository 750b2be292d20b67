"""An exported network of any kind, opened: it answers files, and is checked by its golden samples."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.input_files import path_kind
from danlu.base.strict_json import number
from danlu.data.readers.csv_text import FileOptions
from danlu.ship import export
from danlu.ship.answer_table import records_of
from danlu.ship.export.compare import Difference
from danlu.ship.export.feeds import Feeds, feeds_of
from danlu.ship.export.files import FileRows, read_file_rows
from danlu.ship.export.interface import Interface
from danlu.ship.export.numbers import Tallied
from danlu.ship.export.onnx_file import FileAnswers
from danlu.ship.export.samples import BATCH_SIZES, in_batches, known


@dataclass(frozen=True)
class Portion:
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
        """Labels [N] or numbers for raw samples, as `run.predict` takes them."""
        return self.answers(feeds_of(raw, self.interface)).values

    def answer_file(self, path: Path) -> Iterator[Portion]:
        """Answers for a file, or a folder of pictures, a portion at a time."""
        read = self.metadata.get("reading", {})
        options = FileOptions(header=read.get("header"), encoding=read.get("encoding"))
        for rows in read_file_rows(path, self.interface, options, read.get("target")):
            yield Portion(rows, self.answers(rows.feeds))

    def records(self, portion: Portion, top: int = 1) -> list[dict[str, Any]]:
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
        return records_of("", rows.places, answers.values, classifies, band, rows.feeds.notes)

    def tally(self) -> Tallied:
        """What counts how many answers are right, where files say so."""
        return Tallied(self.interface)


@dataclass(frozen=True)
class ExportCheck:
    """What `danlu check` found of an exported network: whether its weights are those it was written with, and what lies
    between its answers to the golden samples and those of the run.
    """

    path: Path
    format: str
    samples: int
    difference: Difference
    weights: bool

    @property
    def passed(self) -> bool:
        return self.weights and self.difference.none

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "format": self.format,
            "passed": self.passed,
            "samples": self.samples,
            "weights_unchanged": self.weights,
            "labels_differing": self.difference.labels,
            "max_delta": self.difference.delta,
            "max_output_delta": self.difference.outputs,
            "batch_sizes": list(BATCH_SIZES),
        }

    def __str__(self) -> str:
        values = {"path": self.path, "samples": self.samples, "delta": f"{self.difference.delta:.2g}"}
        told = [Fault("export.check-passed" if self.passed else "export.check-failed", values)]
        if not self.weights:
            told.append(Fault("export.check-weights"))
        if not self.difference.none:
            worst = max(self.difference.delta, self.difference.outputs)
            told.append(Fault("export.check-answers", {"labels": self.difference.labels, "delta": f"{worst:.3g}"}))
        return "\n".join(map(str, told))


def open_exported(path: Path) -> ExportedNet:
    """The exported network at `path`: an .onnx, a .pt2 or a folder in the layout of the Hub. UserError where it is
    missing, damaged, or holds what none of danlu's does.
    """
    if path_kind(path) == "missing":
        fail("ship.no-such-file", path=path)
    if path.name.lower().endswith(".onnx"):
        file = export.open_onnx(path)
        return ExportedNet(path, file.metadata, file.answers, lambda: file.digest)
    if path.is_dir():
        return export.open_hub(path)
    return export.open_program(path)


def check_exported_file(path: Path) -> ExportCheck:
    """Prove an exported network by the golden samples in it: in batches of 1, 3 and 7, at every size it has them in."""
    net = open_exported(path)
    total, samples = Difference(), 0
    for group in net.metadata["golden"]:
        try:
            feeds, answers = known(group)
        except (ValueError, KeyError, TypeError) as error:
            fail("export.damaged", path=path, reason=f"{type(error).__name__}: {error}"[:200])
        total = total.and_then(in_batches(net.answers, feeds, answers, BATCH_SIZES, net.interface))
        samples += feeds.count
    if not samples:
        fail("export.no-golden", path=path)
    weights = net.digest() == net.metadata.get("weights_sha256")
    kind = "hub" if path.is_dir() else path.suffix.lower().removeprefix(".")
    return ExportCheck(path, kind, samples, total, weights)
