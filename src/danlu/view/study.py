"""A study in the terminal: what is planned, how far it is, what it found. Drawn from plain records."""

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from danlu.base.errors import Fault
from danlu.base.telling import steady_error
from danlu.base.words import say
from danlu.view.info.combinations import factors_text
from danlu.view.study_words import TextTable, effect_lines, told_study
from danlu.view.terminal import PlainConsole

_MOST_ROWS = 12
_TEXT_WIDTH = 120


class StudyReporter:
    """Tells how far a study is, on standard error; not `visible`, it tells only what is amiss."""

    def __init__(self, visible: bool, console: Console | None = None) -> None:
        self._visible = visible
        self._console = console or PlainConsole(file=steady_error())
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not visible)
        self._task: Any = None

    def opening(self, plan: Mapping[str, Any], folder: Path) -> None:
        """Say what is about to be trained, and what cannot be."""
        for one in plan["failed"]:
            self._note(say("study.cell-failed", factors=factors_text(one["factors"]), reason=one["reason"]))
        if len(plan["seeds"]) == 1:
            self._note(say("study.one-seed"))
        if self._visible:
            self._print(say("study.opening", members=plan["members"], folder=folder))
            for note in plan["notes"]:
                self._note(note)

    def group(self, combinations: int, members: int, alone: Fault | None) -> None:
        """A stack begins, or trainings one after another."""
        if not self._visible:
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._bar.start()
        if alone is not None:
            self._print(say("study.alone", members=members, reason=alone))
        self._task = self._bar.add_task(say("study.stack", members=members), total=members)

    def member(self) -> None:
        if self._task is not None:
            self._bar.advance(self._task)

    def close(self) -> None:
        self._bar.stop()

    def note(self, fault: Fault) -> None:
        """Tell something the user should know."""
        self._note(str(fault))

    def _note(self, text: str) -> None:
        self._console.print(f"! {text}", style="yellow", markup=False, soft_wrap=True)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def print_plan(console: Console, plan: Mapping[str, Any]) -> None:
    """What would be trained, and how: the answer to `--plan`."""
    counts = {"members": plan["members"], "seeds": len(plan["seeds"]), "folds": plan["folds"]}
    console.print(say("study.plan", combinations=_combinations(plan), **counts), markup=False, soft_wrap=True)
    for group in plan["groups"]:
        facts = {"members": group["members"], "combinations": len(group["combinations"]), "steps": group["steps"]}
        how = say("study.plan-stacked") if group["stacked"] else say("study.plan-alone", reason=group["reason"])
        line = say("study.plan-group", parameters=group["parameters"], how=how, **facts)
        console.print(line, markup=False, soft_wrap=True)
        if "jobs" in group:
            console.print(say("study.plan-jobs", reason=group["jobs_reason"]), markup=False, soft_wrap=True)
        if "seconds" in group:
            cost = {"seconds": f"{group['seconds']:.1f}", "megabytes": f"{group['megabytes']:.0f}"}
            console.print(say("study.plan-cost", **cost), markup=False, soft_wrap=True)
    failed = [
        say("study.cell-failed", factors=factors_text(one["factors"]), reason=one["reason"]) for one in plan["failed"]
    ]
    for text in (*plan["notes"], *failed):
        console.print(f"! {text}", style="yellow", markup=False, soft_wrap=True)


def print_study(console: Console, study: Mapping[str, Any]) -> None:
    """Scores by combination, effects with intervals, the best; from the object that `--json` prints."""
    told = told_study(study)
    print_text_table(console, told.combinations, _MOST_ROWS)
    if (left := len(told.combinations.rows) - _MOST_ROWS) > 0:
        console.print(say("study.more-rows", count=left), markup=False)
    for text in told.failed:
        console.print(f"! {text}", style="yellow", markup=False, soft_wrap=True)
    console.print()
    print_lines(console, effect_lines(told))
    for table in told.interactions:
        console.print()
        print_text_table(console, table)
        print_lines(console, table.lines)
    print_lines(console, [told.further])
    if told.best:
        console.print()
        console.print(told.best, markup=False, soft_wrap=True, style="bold")
    print_lines(console, [told.closing])


def study_text(study: Mapping[str, Any]) -> str:
    """What `print_study` shows, as plain text."""
    return printed(lambda console: print_study(console, study))


def printed(show: Callable[[Console], None]) -> str:
    """What `show` prints, as plain text."""
    console = PlainConsole(file=io.StringIO(), width=_TEXT_WIDTH, color_system=None)
    with console.capture() as captured:
        show(console)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def print_text_table(console: Console, table: TextTable, most: int | None = None) -> None:
    """The first `most` rows of a table, all but its first column flush right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(table.head):
        drawn.add_column(Text(heading), overflow="fold", justify="right" if number else "left")
    for row in table.rows[:most]:
        drawn.add_row(*map(Text, row))
    console.print(drawn)


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Those of the lines that say something."""
    for line in filter(None, lines):
        console.print(line, markup=False, soft_wrap=True)


def _combinations(plan: Mapping[str, Any]) -> int:
    return sum(len(group["combinations"]) for group in plan["groups"])
