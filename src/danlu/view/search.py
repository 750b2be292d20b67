"""A search in the terminal: how far it is, and what it found. Drawn from plain records."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from danlu.base.errors import Fault
from danlu.base.metric_names import metric_name
from danlu.base.places import shown
from danlu.base.telling import steady_error
from danlu.base.words import say
from danlu.view.figures.names import score_text
from danlu.view.study import print_plan, printed
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
    metric = search["metric"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("study.combination"), overflow="fold")
    for heading in (metric_name(metric), metric_name("loss"), say("search.epochs"), say("search.came")):
        table.add_column(heading, justify="right")
    for trial in search["trials"][:_MOST_ROWS]:
        score = trial["score"]
        numbers = [score_text(score[name]) if name in score else "" for name in (metric, "loss")]
        table.add_row(_settings(trial["factors"]), *numbers, str(trial["epochs"]), _state(trial))
    console.print(table)
    if len(search["trials"]) > _MOST_ROWS:
        console.print(say("search.more-rows", count=len(search["trials"]) - _MOST_ROWS), markup=False)
    console.print()
    counts = {name: search[name] for name in ("trainings", "full_trainings", "dropped", "diverged", "failed", "rounds")}
    console.print(say("search.counts", trials=len(search["trials"]), **counts), markup=False, soft_wrap=True)
    best = search["best"]
    if best:
        scores = {part: score_text(best["score"][part].get(metric)) for part in ("validation", "test")}
        phrase = "study.best" if best.get("refit", True) else "study.best-as-it-was"
        line = say(phrase, factors=_settings(best["factors"]), metric=metric_name(metric), **scores)
        console.print(line, markup=False, soft_wrap=True, style="bold")
    elif search["finished"]:
        console.print(say("search.no-best"), markup=False, soft_wrap=True, style="bold")
    else:
        console.print(say("search.unfinished", folder=shown(search["study"])), markup=False, soft_wrap=True)
    loading = search["loading_seconds"]
    times = {"seconds": search["seconds"], "loading": loading, "training": search["seconds"] - loading}
    told = {name: f"{seconds:.1f}" for name, seconds in times.items()}
    closing = say("search.closing", folder=shown(search["study"]), **told)
    console.print(closing, markup=False, soft_wrap=True)


def _settings(factors: Mapping[str, Any]) -> str:
    return "  ".join(f"{key}={value:g}" for key, value in factors.items())


def _state(trial: Mapping[str, Any]) -> str:
    return say(f"search.state-{trial['state']}")
