"""What a command has to tell, before any command is known."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from danlu.base.strict_json import to_json

DIVERGED = 3
"""The exit code where a training, or every training of a study, diverged."""


@dataclass(frozen=True)
class Outcome:
    """What a verb has to tell: one object for --json, and how to show it to a person."""

    record: Any
    show: Callable[[Console], None]
    then: Callable[[], None] = lambda: None  # what goes on once that has been told
    code: int = 0
    silent: bool = False  # all has been told already
    pieces: Callable[[], Iterable[str]] | None = None  # the object as JSON, where it is made as it is told

    def json(self) -> Iterable[str]:
        """The object as JSON, piece by piece."""
        return (to_json(self.record),) if self.pieces is None else self.pieces()

    @classmethod
    def of_text(cls, key: str, text: str) -> "Outcome":
        """One text under one key."""
        return cls({key: text.rstrip()}, lambda console: print_text(console, text.rstrip()))


def print_text(console: Console, text: str) -> None:
    """Print a text as it stands: no markup, no line folded."""
    console.print(text, markup=False, soft_wrap=True)
