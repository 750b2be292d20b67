"""A search in the terminal: how far it is, and what it found. Drawn from plain records."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from danlu.base.errors import Fault
from danlu.base.telling import steady_error
from danlu.base.words import say
from danlu.view.search_words import told_search
from danlu.view.study import print_lines, print_plan, print_text_table, printed
from danlu.view.terminal import PlainConsole

_MOST_ROWS = 12


class SearchReporter:
    """Tells how far a search is, on standard error; not `visible`, it tells only what is amiss."""

    def __init__(self, visible: bool, console: Console | None = None) -> None:
        self._visible = visible
        self._console = console or PlainConsole(file=steady_error())
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not visible)
        self._task: Any = None
        self._told = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def opening(self, ranges: Sequence[str], trainings: int, minutes: float | None, folder: Path) -> None:
        """Say what is searched, and with what budget."""
        self._print(say("search.opening", ranges="  ".join(ranges), trainings=trainings, folder=folder))
        if minutes is not None:
            self._print(say("search.opening-minutes", minutes=f"{minutes:g}"))

    def round(self, number: int, *, trials: int, left: int, dropped: int) -> None:
        """A round of so many trials begins; `left` come after it, `dropped` had to make way before it."""
        self._print(say("search.round", number=number, trials=trials, left=left, dropped=dropped))
        self._told = ""

    def group(self, members: int, alone: Fault | None) -> None:
        """A stack begins, or trainings one by one."""
        if alone is not None and str(alone) != self._told:
            self._told = str(alone)
            self._print(say("search.alone", reason=alone))
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(say("study.stack", members=members), total=members)

    def member(self) -> None:
        """One is trained, or dropped."""
        if self._task is not None:
            self._bar.advance(self._task)

    def note(self, fault: Fault) -> None:
        """Tell something the user should know."""
        self._console.print(f"! {fault}", style="yellow", markup=False, soft_wrap=True)

    def _print(self, text: str) -> None:
        if self._visible:
            self._console.print(text, markup=False, soft_wrap=True)


def print_search_plan(console: Console, plan: Mapping[str, Any]) -> None:
    """How a search would go about it, and its first round: the answer to `--plan`."""
    facts = plan["search"]
    rungs = ", ".join(str(rung) for rung in facts["rungs"]) or "—"
    console.print(say("search.plan", trials=facts["trials"], rounds=facts["rounds"], rungs=rungs), soft_wrap=True)
    print_plan(console, plan)


def search_text(search: Mapping[str, Any]) -> str:
    """What `print_search` shows, as plain text."""
    return printed(lambda console: print_search(console, search))


def print_search(console: Console, search: Mapping[str, Any]) -> None:
    """The best trials, and what came of the best; from the object that `--json` prints."""
    told = told_search(search)
    print_text_table(console, told.trials, _MOST_ROWS)
    if (left := len(told.trials.rows) - _MOST_ROWS) > 0:
        console.print(say("search.more-rows", count=left), markup=False)
    console.print()
    print_lines(console, [told.counts])
    console.print(told.best, markup=False, soft_wrap=True, style="bold" if search["finished"] else "")
    print_lines(console, [told.closing])
