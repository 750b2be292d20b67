"""How far `danlu predict` is, on standard error, where a person sits at it."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from danlu.base.telling import steady_error
from danlu.base.words import say
from danlu.view.terminal import PlainConsole


class AnsweringBar:
    """A bar that counts rows, a file at a time; `visible` where standard error is a terminal."""

    def __init__(self, console: PlainConsole | None = None) -> None:
        console = console or PlainConsole(file=steady_error())
        self.visible = console.is_interactive
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not self.visible)
        self._task = self._bar.add_task("", total=None)
        self._rows = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def expect(self, rows: int | None) -> None:
        """Another file begins, of so many rows, where that is known."""
        self._bar.update(self._task, total=None if rows is None else self._rows + rows)

    def advance(self, rows: int) -> None:
        """So many rows more have been answered."""
        self._rows += rows
        self._bar.update(self._task, completed=self._rows, description=say("view.answered", count=self._rows))
