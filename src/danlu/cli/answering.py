"""`danlu predict`, whoever answers: a portion of rows in, their answers out, so that a file may be of any length."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from danlu.base.errors import Fault, UserError
from danlu.base.telling import tell
from danlu.ship.portions import files_meant
from danlu.view.answering import AnsweringBar

STANDARD_INPUT = "-"
Records = list[dict[str, Any]]
_ENDINGS = {"table": ".csv", "texts": ".txt", "pictures": ".png"}
_LINES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".asc")


class Counted(Protocol):
    """How right the answers were so far, where the files said so."""

    samples: int
    left_out: int

    def score(self) -> dict[str, float] | None: ...


@dataclass(frozen=True)
class WhoAnswers:
    """A run, or an exported network, that answers: `input` is what its samples are ("table", "texts", "pictures", else
    numbers), `notes` whether a row may be odd, `answer` gives the records of a file's rows, a portion at a time, with
    what there is to tell of them, and counts in `tally` those whose right answer the file holds.
    """

    source: Path
    input: str
    notes: bool
    answer: Callable[[Path], Iterable[tuple[Records, Sequence[Fault]]]]
    tally: Counted

    def records(self, words: Sequence[str]) -> Iterator[Records]:
        """The answers for the files that the words name. UserError where one does not fit, once it is its turn."""
        with AnsweringBar() as bar:
            for word in _meant(words, self.input):
                with _file_of(word, self.input) as path:
                    bar.expect(_lines_in(path) if bar.visible else None)
                    for records, remarks in self.answer(path):
                        for remark in remarks:
                            tell(f"! {remark if word != STANDARD_INPUT else _renamed(remark, path)}")
                        bar.advance(len(records))
                        yield [record | {"file": word} for record in records]

    def score(self) -> dict[str, float] | None:
        """The metrics by name; None where no right answer was there."""
        return self.tally.score() if self.tally.samples else None


def _meant(words: Sequence[str], kind: str) -> Iterator[str]:
    """The words, patterns and folders of tables among them as the files they stand for, which the answers name."""
    for word in words:
        path = Path(word).expanduser()
        files = [path] if word == STANDARD_INPUT else files_meant(path, rows=kind in ("table", "numbers"))
        yield from [word] if files == [path] else map(str, files)


@contextlib.contextmanager
def _file_of(word: str, kind: str) -> Generator[Path]:
    """The file that a word names; what comes in on standard input, for "-", as a file of the kind that fits."""
    if word != STANDARD_INPUT:
        yield Path(word).expanduser()
        return
    with tempfile.TemporaryDirectory(prefix="danlu-") as folder:
        path = Path(folder) / f"stdin{_ENDINGS.get(kind, '.csv')}"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        try:
            yield path
        except UserError as error:
            raise UserError(*(_renamed(fault, path) for fault in error.faults)) from None


def _renamed(fault: Fault, path: Path) -> Fault:
    """What was said of the file that standard input was kept in, said of standard input."""

    def named(value: Any) -> Any:
        if isinstance(value, Fault):
            return _renamed(value, path)
        return Fault("cli.standard-input") if str(value) == str(path) else value

    return Fault(fault.id, {key: named(value) for key, value in fault.values.items()})


def _lines_in(path: Path) -> int | None:
    """How many lines a file of text has; None for any other, or one that cannot be read, which is told later."""
    if path.suffix.lower() not in _LINES or not path.is_file():
        return None
    with contextlib.suppress(OSError), path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
    return None
