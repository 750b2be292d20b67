"""What `danlu predict` has found, whoever answered: as one object, as a table, as CSV."""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from danlu.base.errors import Fault, Faults
from danlu.base.files import absolute, make_folder, replace_file
from danlu.base.places import shown
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.study_arguments import whole_in
from danlu.ship import as_csv, columns_of
from danlu.view.tables import print_table

STANDARD_INPUT = "-"
MOST_ROWS_SHOWN = 20
_ENDINGS = {"table": ".csv", "texts": ".txt", "pictures": ".png"}


@dataclass(frozen=True)
class Predicted:
    """The answers for all files, as dicts; the score where the files hold right answers; where they were written."""

    run: Path
    rows: list[dict[str, Any]]
    score: dict[str, float] | None
    samples: int
    left_out: int
    file: Path | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": str(self.run),
            "rows": self.rows,
            "score": self.score,
            "samples": self.samples,
            "left_out": self.left_out,
            "file": None if self.file is None else str(self.file),
        }

    def csv(self) -> str:
        return as_csv(self.rows, columns_of(self.rows))

    def written(self) -> "Predicted":
        """The same, written as CSV where that was asked for."""
        if self.file is not None:
            make_folder(self.file.parent)
            replace_file(self.file, self.csv().encode())
        return self

    def outcome(self) -> Outcome:
        """What is told of it; CSV where nobody reads at a terminal."""
        return Outcome(self.as_dict(), self._show)

    def _show(self, console: Console) -> None:
        if console.is_terminal or self.file is not None:
            columns = columns_of(self.rows)
            cells = [[_cell(row.get(column, "")) for column in columns] for row in self.rows[:MOST_ROWS_SHOWN]]
            print_table(console, [f"view.answers-{column.partition('_')[0]}" for column in columns], cells)
            print_text(console, "\n".join(map(str, _told(self))))
        else:
            print_text(console, self.csv().rstrip())


@dataclass(frozen=True)
class AnswerOptions:
    """What the words of `danlu predict` ask for: how many of the likeliest classes, and where the answers go."""

    top: int
    output: Path | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "AnswerOptions":
        """UserError with all that is wrong."""
        words: list[str] = arguments.words
        faults = Faults()
        top = 1 if arguments.top is None else whole_in(arguments.top)
        if not top:
            faults.add("cli.not-a-number", option="--top", found=str(arguments.top)[:100])
        if len(words) < 2:
            faults.add("cli.predict-what")
        output = None if arguments.output is None else absolute(arguments.output)
        if output is not None and any(absolute(word) == output for word in words[1:]):
            faults.add("cli.output-is-input", path=shown(output))
        faults.raise_if_any()
        assert top
        return cls(top, output)


@contextlib.contextmanager
def file_of(word: str, kind: str) -> Generator[Path]:
    """The file that a word names; what comes in on standard input, for "-", as a file of the kind that fits samples
    that are a "table", "texts" or "pictures".
    """
    if word != STANDARD_INPUT:
        yield Path(word).expanduser()
        return
    with tempfile.TemporaryDirectory(prefix="danlu-") as folder:
        path = Path(folder) / f"stdin{_ENDINGS.get(kind, '.csv')}"
        path.write_bytes(sys.stdin.buffer.read())
        yield path


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _told(found: Predicted) -> list[Fault]:
    """What is said below the table: how good the answers are, where they lie, how many are not shown."""
    lines: list[Fault] = []
    if found.score is not None:
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in found.score.items())
        lines.append(Fault("cli.predict-score", {"score": numbers, "samples": found.samples}))
        if found.left_out:
            lines.append(Fault("cli.predict-left-out", {"count": found.left_out}))
    hidden = len(found.rows) - MOST_ROWS_SHOWN
    if found.file is not None:
        lines.append(Fault("cli.predict-written", {"count": len(found.rows), "path": shown(found.file)}))
    elif hidden > 0:
        lines.append(Fault("cli.predict-more", {"count": hidden}))
    return lines
