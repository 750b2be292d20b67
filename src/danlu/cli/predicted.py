"""What `danlu predict` tells, whoever answers: one object, a table or CSV; no more of it is held than is shown."""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from danlu.base.errors import Fault, Faults, fail
from danlu.base.files import absolute, replaced_in_pieces
from danlu.base.input_files import path_kind
from danlu.base.places import shown
from danlu.base.printable import printable
from danlu.base.strict_json import to_json
from danlu.base.telling import tell
from danlu.base.words import catalogue, language
from danlu.cli.answering import STANDARD_INPUT, Records, WhoAnswers
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.study_arguments import whole_in
from danlu.data.readers.several_files import files_of, is_pattern
from danlu.ship import as_csv, columns_of
from danlu.view.summary import score_words
from danlu.view.tables import print_table

MOST_ROWS_SHOWN = 20
# What these names promise is no CSV with commas.
_OTHER_KINDS = (".tsv", ".tab", ".parquet", ".pq", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".npy", ".gz", ".zip")


@dataclass(frozen=True)
class AnswerOptions:
    """What the words of `danlu predict` ask for: files, how many of the likeliest classes, and where the answers go."""

    files: Sequence[str]
    top: int
    output: Path | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "AnswerOptions":
        """UserError with all that is wrong."""
        files: list[str] = arguments.words[1:]
        faults = Faults()
        top = 1 if arguments.top is None else whole_in(arguments.top)
        if not top:
            faults.add("cli.not-a-number", option="--top", found=str(arguments.top)[:100])
        if not files:
            faults.add("cli.predict-what")
        for word in files:
            path = Path(word).expanduser()
            if word != STANDARD_INPUT and is_pattern(path):
                with faults.gathered():
                    files_of(path)
            elif word != STANDARD_INPUT and path_kind(path) == "missing":
                faults.add("ship.no-such-file", path=word)
        output = None if arguments.output is None else absolute(arguments.output)
        if output is not None and any(absolute(word) == output for word in files):
            faults.add("cli.output-is-input", path=shown(output))
        if output is not None and output.name.lower().endswith(_OTHER_KINDS):
            faults.add("cli.output-not-csv", path=shown(output))
        faults.raise_if_any()
        assert top
        return cls(files, top, output)


def refuse_top(wanted: AnswerOptions, task: str, word: str) -> None:
    """UserError where the likeliest classes are asked for, and samples have no one class."""
    if wanted.top > 1 and task != "classification":
        fail("cli.top-unfit", top=wanted.top, run=word, task=Fault(f"base.task-{task}"))


@dataclass(frozen=True)
class Predicted:
    """The answers for all files, made as they are told, once."""

    answering: WhoAnswers
    wanted: AnswerOptions
    wrote: Callable[[], Fault] | None = None  # what was written besides, once all answers are there

    def outcome(self) -> Outcome:
        """What is told of it; CSV where nobody reads at a terminal."""
        return Outcome(None, self._show, pieces=self._json)

    def _records(self) -> Iterator[Records]:
        """The answers portion by portion, written as CSV on their way where that was asked for."""
        portions = self.answering.records(self.wanted.files)
        if self.wanted.output is None:
            yield from portions
            return
        last: list[Records] = []

        def passed() -> Iterator[Records]:
            for records in portions:
                last[:] = [records]
                yield records

        with replaced_in_pieces(self.wanted.output) as write:
            for text in as_csv(passed(), notes=self.answering.notes):
                write(text.encode("utf-8", "replace"))
                yield last[0]

    def _json(self) -> Iterator[str]:
        """One object. Its rows wait on the disk until all are there: an error is an object of its own."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", prefix="danlu-") as rows:
            between = ""
            for records in self._records():
                for record in records:
                    rows.write(between + to_json(record))
                    between = ", "
            rows.seek(0)
            yield f'{{"run": {to_json(str(self.answering.source))}, "rows": ['
            yield from iter(lambda: rows.read(2**20), "")
            yield f"], {to_json(self._facts())[1:]}"

    def _facts(self) -> dict[str, Any]:
        tally, output = self.answering.tally, self.wanted.output
        facts: dict[str, Any] = {"score": self.answering.score(), "samples": tally.samples, "left_out": tally.left_out}
        if self.wrote is not None:
            facts["written"] = str(self.wrote())
        return facts | {"file": None if output is None else str(output)}

    def _show(self, console: Console) -> None:
        if not console.is_terminal and self.wanted.output is None:
            for text in as_csv(self._records(), notes=self.answering.notes, end="\n"):
                console.file.write(printable(text))
            if self.wrote is not None:
                tell(str(self.wrote()))
            return
        first, count = Records(), 0
        for records in self._records():
            first += records[: MOST_ROWS_SHOWN - len(first)]
            count += len(records)
        columns = columns_of(first)
        cells = [[_cell(row.get(column, "")) for column in columns] for row in first]
        print_table(console, [_heading(column) for column in columns], cells)
        print_text(console, "\n".join(map(str, self._told(count))))

    def _told(self, count: int) -> list[Fault]:
        """What is said below the table: how good the answers are, where they lie, how many are not shown."""
        lines: list[Fault] = []
        score, tally = self.answering.score(), self.answering.tally
        if score is not None:
            lines.append(Fault("cli.predict-score", {"score": score_words(score), "samples": tally.samples}))
            if tally.left_out:
                lines.append(Fault("cli.predict-left-out", {"count": tally.left_out}))
        if self.wrote is not None:
            lines.append(self.wrote())
        if self.wanted.output is not None:
            lines.append(Fault("cli.predict-written", {"count": count, "path": shown(self.wanted.output)}))
        elif count > MOST_ROWS_SHOWN:
            lines.append(Fault("cli.predict-more", {"count": count - MOST_ROWS_SHOWN}))
        return lines


def _heading(column: str) -> str:
    """The id of the phrase for a column of answers; the name of a target stands for itself."""
    id = f"view.answers-{column.partition('_')[0]}"
    return id if id in catalogue(language()) else column


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
